package plugin

import (
	"context"
	"fmt"
	"horizon-realtime/router/plugin/guest/guesttest"
	"math"
	"testing"
	"time"
)

// dropping is a plugin that asks for everything of compute and says nothing.
const dropping = "on compute.*\nwant /payload/instance_id\nwant /payload/display_name\nwant /payload/state\n"

func benchmarkHandle(b *testing.B, eventType string, files ...any) {
	h := testHost(b, testConfig(b), nil, files...)
	w := testRunner(b, h)
	n := guesttest.Notification(b, eventType, serverUpdate)
	emitted := 0
	emit := func(e Emission) { emitted += len(e.Payload) }
	ctx := context.Background()
	w.Handle(ctx, n, emit)
	if allocs := testing.AllocsPerRun(100, func() { w.Handle(ctx, n, emit) }); allocs != 0 {
		b.Fatalf("a notification costs %v allocations", allocs)
	}
	b.ReportAllocs()
	b.ResetTimer()
	best := time.Duration(math.MaxInt64)
	for left := b.N; left > 0; left -= batch {
		began := time.Now()
		for range batch {
			w.Handle(ctx, n, emit)
		}
		best = min(best, time.Since(began))
	}
	b.ReportMetric(float64(best)/batch, "best-ns/op")
}

// batch is so short that the best of many is undisturbed, whatever else the
// machine has to do.
const batch = 200

func BenchmarkUnmatched(b *testing.B) {
	benchmarkHandle(b, "volume.create.end", "50-drop.wasm", guesttest.Assemble(b, guesttest.Silent(dropping)))
}

func BenchmarkDrop(b *testing.B) {
	benchmarkHandle(b, "compute.instance.update", "50-drop.wasm", guesttest.Assemble(b, guesttest.Silent(dropping)))
}

func BenchmarkDropGo(b *testing.B) {
	benchmarkHandle(b, "compute.instance.update", "50-drop.wasm", guesttest.BuildGo(b, "drop"))
}

func BenchmarkReshape(b *testing.B) {
	benchmarkHandle(b, "compute.instance.update", "50-route.wasm", guesttest.BuildGo(b, "route"))
}

func BenchmarkOneOf(b *testing.B) {
	route := guesttest.BuildGo(b, "route")
	other := guesttest.Assemble(b, guesttest.Silent("on volume.*\non snapshot.*\n"))
	for _, total := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(total), func(b *testing.B) {
			files := []any{"50-route.wasm", route}
			for i := 1; i < total; i++ {
				files = append(files, fmt.Sprintf("%02d-other-%d.wasm", i%100, i), other)
			}
			benchmarkHandle(b, "compute.instance.update", files...)
		})
	}
}
