package session

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	connections *prometheus.GaugeVec   // transport
	endings     *prometheus.CounterVec // transport, code
	refusals    *prometheus.CounterVec // reason
	commands    *prometheus.CounterVec // method
	replyErrors *prometheus.CounterVec // error
	rechecks    *prometheus.CounterVec // result
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "horizon_realtime_server_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	m := &metrics{
		connections: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "horizon_realtime_server_connections",
			Help: "Clients, by transport.",
		}, []string{"transport"}),
		endings:     counters("disconnects_total", "Connections that ended, by the code the client was given; 0: it went by itself. 3008 is a client over [server] outbox_bytes.", "transport", "code"),
		refusals:    counters("refused_total", "Clients refused before they were connected: total and address are limits on connections, strangers and strangers_address those on connections that have not said who they are, of which the oldest was closed, rate is [server] connects_per_second, draining is a server that stops.", "reason"),
		commands:    counters("commands_total", "Commands from clients, by method.", "method"),
		replyErrors: counters("reply_errors_total", "Commands answered with an error.", "error"),
		rechecks:    counters("rechecks_total", "Identities checked again while connected: good, ended, unavailable (tried again later), busy (put off).", "result"),
	}
	reg.MustRegister(m.connections)
	return m
}
