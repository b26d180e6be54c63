package router

import (
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/plugin"
)

// outcomes counts how notifications ended. Their sum is the number of messages
// that were taken from the sources.
type outcomes struct {
	routed    prometheus.Counter
	silent    prometheus.Counter
	unmatched prometheus.Counter
	denied    prometheus.Counter
	faulted   prometheus.Counter
	late      prometheus.Counter
	duplicate prometheus.Counter
	malformed prometheus.Counter

	emissionRefused prometheus.Counter
}

func newOutcomes(reg prometheus.Registerer) outcomes {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_notifications_total",
		Help: "Notifications by how they ended: routed (something was published), silent (plugins had nothing to say), " +
			"unmatched (no plugin asked for the type), denied (all emissions were refused or dropped), faulted (a plugin failed and " +
			"nothing was published), late (took too long, put aside), duplicate, malformed (put aside).",
	}, []string{"outcome"})
	refused := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "horizon_realtime_emissions_refused_total",
		Help: "Emissions of plugins to channels they may not emit to.",
	})
	reg.MustRegister(ended, refused)
	return outcomes{
		routed:          ended.WithLabelValues("routed"),
		silent:          ended.WithLabelValues("silent"),
		unmatched:       ended.WithLabelValues("unmatched"),
		denied:          ended.WithLabelValues("denied"),
		faulted:         ended.WithLabelValues("faulted"),
		late:            ended.WithLabelValues("late"),
		duplicate:       ended.WithLabelValues("duplicate"),
		malformed:       ended.WithLabelValues("malformed"),
		emissionRefused: refused,
	}
}

// count counts the outcome of one notification.
func (o *outcomes) count(called plugin.Outcome, accepted, refused int) {
	switch {
	case called.Late:
		o.late.Inc()
	case accepted > 0:
		o.routed.Inc()
	case called.Faults > 0:
		o.faulted.Inc()
	case refused+called.Dropped > 0:
		o.denied.Inc()
	case called.Called == 0:
		o.unmatched.Inc()
	default:
		o.silent.Inc()
	}
}
