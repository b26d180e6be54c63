package hub

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	publications  prometheus.Counter
	messages      prometheus.Counter
	batches       prometheus.Counter
	waits         prometheus.Counter
	dropped       [dropReasons]prometheus.Counter
	recovered     prometheus.Counter
	unrecovered   prometheus.Counter
	forgotten     prometheus.Counter
	subscriptions prometheus.Gauge
	channels      prometheus.Gauge
	historyBytes  prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "horizon_realtime_hub_" + name, Help: help})
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "horizon_realtime_hub_" + name, Help: help})
		reg.MustRegister(g)
		return g
	}
	m := &metrics{
		publications:  counter("publications_total", "Publications accepted."),
		messages:      counter("deliveries_total", "Messages handed to subscribers, each counted once per subscriber."),
		batches:       counter("batches_total", "Batches of messages handed to subscribers, each counted once per subscriber."),
		waits:         counter("queue_full_total", "Times a publisher or a session had to wait for a shard."),
		forgotten:     counter("channels_forgotten_total", "Channels without subscribers that were forgotten because there were more than [hub] channels."),
		subscriptions: gauge("subscriptions", "Subscriptions; a client counts once per channel."),
		channels:      gauge("channels", "Channels with subscribers or history, or that had some lately."),
		historyBytes:  gauge("history_bytes", "Bytes that the histories take, against [hub] history_bytes."),
	}
	drops := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_hub_history_dropped_total",
		Help: "Publications dropped from the history, by the bound that dropped them: size, age, bytes, channels.",
	}, []string{"bound"})
	recoveries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "horizon_realtime_hub_recoveries_total",
		Help: "Clients that came back with a position, by whether they could be given everything they had missed.",
	}, []string{"recovered"})
	reg.MustRegister(drops, recoveries)
	for reason, name := range dropNames {
		m.dropped[reason] = drops.WithLabelValues(name)
	}
	m.recovered, m.unrecovered = recoveries.WithLabelValues("true"), recoveries.WithLabelValues("false")
	return m
}
