package workshop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/plugin"
)

// maxBenchBytes bounds the notifications that a measurement keeps in memory.
const maxBenchBytes = 64 << 20

// Measurement is what a filter costs for each notification that it asked for.
type Measurement struct {
	// Notifications were read, Heard of them the filter asked for. Samples is
	// how many calls were timed.
	Notifications int `json:"notifications"`
	Heard         int `json:"heard"`
	Samples       int `json:"samples"`
	// Nanoseconds a notification, from the router's match to its last emission
	// taken, reading the clock included: Clock of them.
	Nanoseconds Spread  `json:"nanoseconds"`
	Clock       float64 `json:"clock_nanoseconds"`
	// Fuel a notification, in units, of which FuelLimit may be taken.
	Fuel      Spread `json:"fuel"`
	FuelLimit int64  `json:"fuel_limit"`
	// Emissions, and allocations of the router's own heap, a notification.
	Emissions       float64 `json:"emissions"`
	HostAllocations float64 `json:"host_allocations"`
	HostBytes       float64 `json:"host_bytes"`
}

// Spread sums samples up.
type Spread struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// spreadOf sorts the samples.
func spreadOf(samples []float64) Spread {
	slices.Sort(samples)
	sum := 0.0
	for _, v := range samples {
		sum += v
	}
	n := len(samples)
	return Spread{Mean: sum / float64(n), P50: samples[n/2], P99: samples[n*99/100], Max: samples[n-1]}
}

// Bench measures the filter on a recording's notifications, for about as long as
// it is told.
//
// # Errors
//
// The recording cannot be read or decoded, is too large, the filter asked for
// none of it, or a call failed: there is no sense in measuring that.
func (t *Trial) Bench(ctx context.Context, recording io.Reader, lasting time.Duration) (*Measurement, error) {
	m := &Measurement{FuelLimit: t.Status().FuelLimit}
	var heard []*event.Notification
	var fuels []float64
	emissions, size := 0, 0
	decoder := oslo.NewDecoder(oslo.DefaultConfig())
	before, err := t.fuel()
	if err != nil {
		return nil, err
	}
	err = ReadMessages(recording, func(message Message) error {
		if size += len(message.Body); size > maxBenchBytes {
			return fmt.Errorf("the recording is over the limit of %d bytes; measure on a part of it", maxBenchBytes)
		}
		n := new(event.Notification)
		if err := decoder.Decode(n, message.Body, message.Compression); err != nil {
			return fmt.Errorf("the router does not take the notification: %w", err)
		}
		m.Notifications++
		a := t.Send(ctx, n)
		if a.Fault != "" {
			return errors.New(a.Fault)
		}
		if !a.Called {
			return nil
		}
		after, err := t.fuel()
		heard, fuels = append(heard, n), append(fuels, after-before)
		before = after
		emissions += len(a.Emissions)
		return errors.Join(err, ctx.Err())
	})
	if err != nil {
		return nil, err
	}
	if m.Heard = len(heard); m.Heard == 0 {
		return nil, fmt.Errorf("the filter asked for none of the %d notifications; it hears %v", m.Notifications, t.Status().On)
	}
	m.Fuel, m.Emissions = spreadOf(fuels), float64(emissions)/float64(m.Heard)
	return m, t.time(ctx, m, heard, lasting)
}

// maxSamples bounds what is kept of a measurement.
const maxSamples = 1 << 20

// time sends the notifications again and again, and times each.
func (t *Trial) time(ctx context.Context, m *Measurement, heard []*event.Notification, lasting time.Duration) error {
	samples := make([]float64, 0, maxSamples)
	discard := func(plugin.Emission) {}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for end := time.Now().Add(lasting); len(samples)+len(heard) <= maxSamples || len(samples) == 0; {
		for _, n := range heard[:min(len(heard), maxSamples)] {
			began := time.Now()
			outcome := t.worker.Handle(ctx, n, discard)
			samples = append(samples, float64(time.Since(began)))
			if outcome.Faults > 0 {
				return errors.New(t.notes.fault)
			}
		}
		t.notes.take()
		if time.Now().After(end) || ctx.Err() != nil {
			break
		}
	}
	runtime.ReadMemStats(&after)
	m.Samples = len(samples)
	m.HostAllocations = float64(after.Mallocs-before.Mallocs) / float64(len(samples))
	m.HostBytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(len(samples))
	m.Nanoseconds = spreadOf(samples)
	clock := make([]float64, 1000)
	for i := range clock {
		began := time.Now()
		clock[i] = float64(time.Since(began))
	}
	m.Clock = spreadOf(clock).P50
	return ctx.Err()
}
