package main

import "slices"

// median is the middle of what value takes out of each.
func median[T any](of []T, value func(T) float64) float64 {
	values := make([]float64, len(of))
	for i, v := range of {
		values[i] = value(v)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
