package transport

import (
	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/server/session"
)

// policy is what happens to a channel's publications when a client is behind.
type policy uint8

const (
	disconnectSlow policy = iota
	dropOldest
	conflate
)

// policies are their names in the configuration.
var policies = map[string]policy{"disconnect": disconnectSlow, "drop-oldest": dropOldest, "conflate": conflate}

// SlowChannel is an entry of [server] slow_channels.
type SlowChannel struct {
	// Pattern is a channel, in which * stands for any id or any topic, such as
	// "project/*/instances".
	Pattern string `toml:"pattern"`
	// Policy is as Config.Slow.
	Policy string `toml:"policy"`
}

// slowRules is the policy of each channel: that of the first rule that matches, or
// the default.
type slowRules struct {
	list     []slowRule
	fallback policy
	// How many publications clients were not sent because they were behind.
	dropped, conflated prometheus.Counter
}

type slowRule struct {
	pattern session.Pattern
	policy  policy
}

func newSlowRules(slow string, channels []SlowChannel, reg prometheus.Registerer) *slowRules {
	skipped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_server_skipped_total",
		Help: "Publications that a client was not sent because it was behind, as [server] slow and slow_channels say: dropped, or conflated (a later one of the same key was sent).",
	}, []string{"how"})
	reg.MustRegister(skipped)
	r := &slowRules{
		fallback: policies[slow],
		dropped:  skipped.WithLabelValues("dropped"), conflated: skipped.WithLabelValues("conflated"),
	}
	for _, c := range channels {
		r.list = append(r.list, slowRule{session.NewPattern(c.Pattern), policies[c.Policy]})
	}
	return r
}

// lossy reports whether any channel's publications may be dropped.
func (r *slowRules) lossy() bool { return r.fallback != disconnectSlow || len(r.list) > 0 }

func (r *slowRules) of(channel string) policy {
	for i := range r.list {
		if r.list[i].pattern.Matches(channel) {
			return r.list[i].policy
		}
	}
	return r.fallback
}
