package main

import (
	"bytes"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// median is the middle of what value takes out of each.
func median[T any](of []T, value func(T) float64) float64 {
	values := make([]float64, len(of))
	for i, v := range of {
		values[i] = value(v)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// times gathers how long messages took that carry the moment they were sent,
// in nanoseconds since 1970 with as many digits as stampDigits, behind a mark.
// Any number of goroutines may see.
type times struct {
	mark []byte
	took []time.Duration
	n    atomic.Int64
}

const stampDigits = 19

// newTimes makes room for so many; what is beyond is not kept.
func newTimes(room int, mark string) *times {
	return &times{mark: []byte(mark), took: make([]time.Duration, room)}
}

// see looks for the stamps in what has just arrived.
func (t *times) see(read []byte) {
	now := time.Now().UnixNano()
	for {
		at := bytes.Index(read, t.mark)
		if at < 0 || at+len(t.mark)+stampDigits > len(read) {
			return
		}
		read = read[at+len(t.mark):]
		if sent, err := strconv.ParseInt(string(read[:stampDigits]), 10, 64); err == nil {
			if i := t.n.Add(1) - 1; int(i) < len(t.took) {
				t.took[i] = time.Duration(now - sent)
			}
		}
	}
}

// seen is how many were.
func (t *times) seen() int { return min(int(t.n.Load()), len(t.took)) }

// quantile is called when nothing arrives any more.
func (t *times) quantile(q float64) time.Duration {
	took := slices.Sorted(slices.Values(t.took[:t.seen()]))
	if len(took) == 0 {
		return 0
	}
	return took[int(q*float64(len(took)-1))]
}
