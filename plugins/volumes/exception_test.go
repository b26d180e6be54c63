package main

import "testing"

func TestExceptionText(t *testing.T) {
	for in, want := range map[string]string{
		`NoValidBackend('No valid backend was found. No weighed backends available')`: "No valid backend was found. No weighed backends available",
		`NoValidBackend("it's full")`: "it's full",
		`DriverError('at 10.0.0.1')`:  "DriverError",
		`KeyError(1)`:                 "KeyError",
		`KeyError()`:                  "KeyError",
		`NoValidBackend('`:            "NoValidBackend",
		`NoValidBackend('x`:           "NoValidBackend",
		``:                            "",
	} {
		if got := exceptionText(in); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}
