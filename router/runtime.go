package router

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// heapFloor is memory that is asked for and never touched, in bytes, so that the
// system never gives it. Go's collector starts again when the heap has doubled;
// what a router keeps is little and what passes through it is much, so that it
// would work all the time. See docs/rationale.md.
const heapFloor = 32 << 20

// registerRuntime adds what the Go runtime and the kernel know of the process.
func registerRuntime(reg prometheus.Registerer) {
	reg.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsGC, collectors.MetricsMemory)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
}
