package router

import (
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/plugin"
)

// endings counts every way in which a notification can end. Their sum is the
// number of messages that were taken from the sources.
type endings struct {
	routed    prometheus.Counter
	silent    prometheus.Counter
	unmatched prometheus.Counter
	denied    prometheus.Counter
	faulted   prometheus.Counter
	duplicate prometheus.Counter
	malformed prometheus.Counter

	emissionRefused prometheus.Counter
}

func newEndings(reg prometheus.Registerer) endings {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_notifications_total",
		Help: "Notifications by how they ended: routed (something was published), silent (filters had nothing to say), " +
			"unmatched (no filter asked for the type), denied (all emissions were refused), faulted (a filter failed and " +
			"nothing was published), duplicate, malformed (put aside).",
	}, []string{"outcome"})
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "horizon_realtime_emissions_refused_total",
		Help: "Emissions of filters to channels they may not emit to.",
	})
	reg.MustRegister(ended, refused)
	return endings{
		routed:          ended.WithLabelValues("routed"),
		silent:          ended.WithLabelValues("silent"),
		unmatched:       ended.WithLabelValues("unmatched"),
		denied:          ended.WithLabelValues("denied"),
		faulted:         ended.WithLabelValues("faulted"),
		duplicate:       ended.WithLabelValues("duplicate"),
		malformed:       ended.WithLabelValues("malformed"),
		emissionRefused: refused,
	}
}

// count adds one notification to the counter of its ending.
func (e *endings) count(o plugin.Outcome, accepted, refused int) {
	switch {
	case accepted > 0:
		e.routed.Inc()
	case o.Faults > 0:
		e.faulted.Inc()
	case refused > 0:
		e.denied.Inc()
	case o.Called == 0:
		e.unmatched.Inc()
	default:
		e.silent.Inc()
	}
}
