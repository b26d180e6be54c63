package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"
	"time"

	"horizon-realtime/router/plugin"
)

// reloads is what replacing a plugin again and again did.
type reloads struct {
	count int
	took  time.Duration
	cost
	// resident is the memory after the last reload, relative to that after the first
	// round; goroutines is how many more there are.
	resident   float64
	goroutines int
}

// rounds is how often the deliveries are counted.
const rounds = 10

// versions is how many there are of the stock plugin. They take turns, so that most
// reloads find theirs compiled.
const versions = 3

// reload replaces the stock plugin by another version, at least count times. They
// differ in a custom section.
//
// # Errors
//
// A version does not take over.
func (b *besieged) reload(ctx context.Context, stock []byte, count int) (*reloads, error) {
	r := new(reloads)
	began := time.Now()
	var memory int64
	var routines int
	late := new(histogram)
	for round := range rounds {
		one, err := b.measure(late, func() error {
			for range (count + rounds - 1) / rounds {
				if err := b.replace(ctx, versioned(stock, uint32(r.count%versions))); err != nil {
					return fmt.Errorf("reload %d of %d: %w", r.count+1, count, err)
				}
				r.count++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		r.cost.add(one)
		if round == 0 {
			memory, routines = settledBytes(), runtime.NumGoroutine()
		}
	}
	r.took = time.Since(began)
	r.resident = float64(settledBytes()) / float64(memory)
	r.goroutines = goroutinesBeyond(routines)
	return r, nil
}

// goroutinesBeyond waits for what is about to end, and returns how many are left.
func goroutinesBeyond(allowed int) int {
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > allowed && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	return max(runtime.NumGoroutine()-allowed, 0)
}

// replace installs a version and returns when it runs.
func (b *besieged) replace(ctx context.Context, version []byte) error {
	sum := sha256.Sum256(version)
	digest := hex.EncodeToString(sum[:])
	if err := b.install(stockFile, version); err != nil {
		return err
	}
	_, err := b.until(ctx, stockFile, func(s plugin.Status, _ bool) bool { return s.Digest == digest })
	return err
}

// versioned adds a custom section to a module.
func versioned(module []byte, n uint32) []byte {
	const name = "version"
	section := []byte{0, 1 + byte(len(name)) + 4, byte(len(name))}
	section = binary.LittleEndian.AppendUint32(append(section, name...), n)
	return append(module[:len(module):len(module)], section...)
}
