package main

import (
	"bytes"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"
)

// pauses are Go's stops of the world for its collector, counted by length.
type pauses struct{ h *metrics.Float64Histogram }

func readPauses() pauses {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	h := s[0].Value.Float64Histogram()
	return pauses{&metrics.Float64Histogram{Counts: append([]uint64(nil), h.Counts...), Buckets: h.Buckets}}
}

// longestSince is an upper bound of the longest stop after p was read.
func (p pauses) longestSince() time.Duration {
	now := readPauses()
	for i := len(now.h.Counts) - 1; i >= 0; i-- {
		if now.h.Counts[i] > p.h.Counts[i] {
			return time.Duration(now.h.Buckets[min(i+1, len(now.h.Buckets)-2)] * float64(time.Second))
		}
	}
	return 0
}

// residentBytes is the process's resident memory; 0 where /proc is missing.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// settledBytes is what is left resident once Go has collected its garbage and
// given the rest back, as it does by itself within some minutes. What is freed
// by a finalizer takes more than one collection.
func settledBytes() int64 {
	debug.FreeOSMemory()
	for least := residentBytes(); ; {
		time.Sleep(10 * time.Millisecond)
		debug.FreeOSMemory()
		now := residentBytes()
		if now > least-least/200 {
			return now
		}
		least = now
	}
}
