package auth

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Ways to authenticate, as the label `method` and in an identity's proof.
const (
	methodAnonymous = "anonymous"
	methodTicket    = "ticket"
	methodJWT       = "jwt"
	methodKeystone  = "keystone"
	methodNone      = "none" // no open way takes such a token
)

// Bounds, as the label `limit`.
const (
	limitCache       = "keystone_cache"
	limitRequests    = "keystone_requests"
	limitTickets     = "tickets"
	limitUserTickets = "tickets_of_a_user"
	limitLockout     = "ticket_failures"
	limitSources     = "keystone_sources"
	limitStrangers   = "keystone_strangers"
	limitRefused     = "keystone_refused"
	limitDeletions   = "deleted_ids"
)

type metrics struct {
	attempts *prometheus.CounterVec
	limits   *prometheus.CounterVec
	keystone *prometheus.HistogramVec
	tickets  *prometheus.CounterVec
	keys     *prometheus.CounterVec
	files    *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "horizon_realtime_auth_attempts_total",
			Help: "Attempts to authenticate, by way and outcome.",
		}, []string{"method", "result"}),
		limits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "horizon_realtime_auth_limit_reached_total",
			Help: "Times that a bound of [auth] was reached.",
		}, []string{"limit"}),
		keystone: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "horizon_realtime_auth_keystone_seconds",
			Help:    "Time Keystone took to answer, by outcome.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5},
		}, []string{"result"}),
		tickets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "horizon_realtime_auth_tickets_total",
			Help: "Answers of the ticket endpoint, by HTTP status.",
		}, []string{"status"}),
		keys: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "horizon_realtime_auth_jwks_loads_total",
			Help: "Times the JSON Web Key Set was read, by outcome.",
		}, []string{"result"}),
		files: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "horizon_realtime_auth_file_unusable",
			Help: "1 while a key file of [auth], as it is now, cannot be used and what it held before is.",
		}, []string{"key"}),
	}
	reg.MustRegister(m.attempts, m.limits, m.keystone, m.tickets, m.keys, m.files)
	return m
}

func (m *metrics) limit(name string) { m.limits.WithLabelValues(name).Inc() }

// result is an outcome as a metric's label.
func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrExpired):
		return "expired"
	case errors.Is(err, ErrUnavailable):
		return "unavailable"
	}
	return "refused"
}
