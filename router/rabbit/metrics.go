package rabbit

import (
	"fmt"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

const metricsPrefix = "horizon_realtime_amqp_"

// maxReasons bounds the values of the label reason.
const maxReasons = 24

// metrics are shared by the brokers.
type metrics struct {
	connected, blocked, missing *prometheus.GaugeVec
	unusable, certificateDays   *prometheus.GaugeVec
	reconnects, acked           *prometheus.CounterVec
	deliveries                  *prometheus.CounterVec
	redelivered                 prometheus.Counter
	deadLettered, dropped       *prometheus.CounterVec

	mu      sync.Mutex
	reasons map[string]bool
}

func newMetrics(reg prometheus.Registerer, unacked func() map[string]int) (*metrics, error) {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: metricsPrefix + name, Help: help}, []string{"broker"})
	}
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: metricsPrefix + name, Help: help}, []string{label})
	}
	m := &metrics{
		connected:       gauge("connected", "1 while notifications are consumed from the broker."),
		blocked:         gauge("blocked", "1 while the broker takes no dead letters because of an alarm of its own."),
		missing:         gauge("missing_exchanges", "Configured exchanges that are not bound, because they do not exist or may not be read."),
		unusable:        gauge("file_unusable", "1 while the file of the broker's URL, or one of the certificates for it, cannot be used and what it held before is."),
		certificateDays: gauge("certificate_days", "Days until our certificate for the broker expires."),
		reconnects:      counter("reconnects_total", "Connections that ended or could not be made, and were tried again.", "broker"),
		acked:           counter("acked_total", "Deliveries acknowledged.", "broker"),
		deliveries:      counter("deliveries_total", "Deliveries by the exchange they were published to.", "exchange"),
		redelivered:     prometheus.NewCounter(prometheus.CounterOpts{Name: metricsPrefix + "redelivered_total", Help: "Deliveries that may have been seen before."}),
		deadLettered:    counter("dead_lettered_total", "Rejected deliveries put into the dead-letter queue.", "reason"),
		dropped:         counter("dead_letters_dropped_total", "Rejected deliveries that were dropped, because dead letters are off or RabbitMQ did not take them in time.", "reason"),
		reasons:         make(map[string]bool),
	}
	for _, c := range []prometheus.Collector{m.connected, m.blocked, m.missing, m.unusable, m.certificateDays, m.reconnects, m.acked, m.deliveries,
		m.redelivered, m.deadLettered, m.dropped, unackedCollector{unacked}} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register the amqp metrics: %w", err)
		}
	}
	return m, nil
}

// reason shortens a reason to a label: what stands before its first colon. There is
// a bounded number of them.
func (m *metrics) reason(text string) string {
	label, _, _ := strings.Cut(text, ":")
	label = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		default:
			return '_'
		}
	}, label)
	label = label[:min(len(label), 48)]
	m.mu.Lock()
	defer m.mu.Unlock()
	if label == "" || (!m.reasons[label] && len(m.reasons) >= maxReasons) {
		return "other"
	}
	m.reasons[label] = true
	return label
}

// file sets what is known about a broker's files.
func (m *metrics) file(broker string, t target, usable bool) {
	unusable := m.unusable.WithLabelValues(broker)
	unusable.Set(0)
	if !usable {
		unusable.Set(1)
	}
	if days, ok := t.certificateDays(); ok {
		m.certificateDays.WithLabelValues(broker).Set(days)
	}
}

// exchangeCounters keeps one broker's counters at hand. Only the goroutine that
// receives the deliveries uses it.
type exchangeCounters struct {
	known        map[string]prometheus.Counter
	other        prometheus.Counter
	lastExchange string
	last         prometheus.Counter
}

func newExchangeCounters(m *metrics, exchanges []string) *exchangeCounters {
	e := &exchangeCounters{known: make(map[string]prometheus.Counter), other: m.deliveries.WithLabelValues("other")}
	for _, name := range exchanges {
		e.known[name] = m.deliveries.WithLabelValues(name)
	}
	e.last = e.other
	return e
}

func (e *exchangeCounters) inc(exchange string) {
	if exchange != e.lastExchange {
		e.lastExchange, e.last = exchange, e.other
		if c, ok := e.known[exchange]; ok {
			e.last = c
		}
	}
	e.last.Inc()
}

// unackedCollector reads the figures only when somebody scrapes.
type unackedCollector struct{ read func() map[string]int }

var unackedDesc = prometheus.NewDesc(metricsPrefix+"unacked", "Deliveries taken and not acknowledged yet.", []string{"broker"}, nil)

func (c unackedCollector) Describe(ch chan<- *prometheus.Desc) { ch <- unackedDesc }

func (c unackedCollector) Collect(ch chan<- prometheus.Metric) {
	for broker, n := range c.read() {
		ch <- prometheus.MustNewConstMetric(unackedDesc, prometheus.GaugeValue, float64(n), broker)
	}
}
