package plugin

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector reads the counters when Prometheus asks, so that counting costs the
// runners one uncontended addition.
type collector struct {
	current *currentSet
	now     func() time.Time

	calls, skipped, emissions, fuel *prometheus.Desc
	faults, droppedLog, evicted     *prometheus.Desc
	renewals, instances, kvEntries  *prometheus.Desc
	kvBytes, state, refused         *prometheus.Desc
	dropped, stopped                *prometheus.Desc
}

func newCollector(current *currentSet, now func() time.Time) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("horizon_realtime_plugin_"+name, help, append([]string{"plugin"}, labels...), nil)
	}
	return &collector{
		current:    current,
		now:        now,
		calls:      desc("calls_total", "Notifications that the plugin was called with and returned from."),
		skipped:    desc("skipped_total", "Notifications it asked for but did not see, as it was paused for their project or quarantined."),
		emissions:  desc("emissions_total", "Emissions of the plugin, before anybody judged their channels."),
		dropped:    desc("emissions_dropped_total", "Emissions that were too long, or more than the plugin may emit in a second."),
		stopped:    desc("stopped_total", "Notifications that it kept from the plugins after it."),
		fuel:       desc("fuel_total", "Units of fuel that its calls took."),
		faults:     desc("faults_total", "Calls that failed, by what they died of.", "kind"),
		droppedLog: desc("log_lines_dropped_total", "Lines it wrote to the log beyond its rate."),
		evicted:    desc("kv_evicted_total", "Entries of its store that made room for others."),
		renewals:   desc("renewals_total", "Instances replaced because their memory had grown."),
		instances:  desc("instances", "Instances there are."),
		kvEntries:  desc("kv_entries", "Entries in its store."),
		kvBytes:    desc("kv_bytes", "Bytes in its store."),
		state:      desc("state", "1 for the state that the plugin is in.", "state"),
		refused:    desc("refused", "1 if the file, as it is now, was not loaded."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.calls, c.skipped, c.emissions, c.fuel, c.faults, c.droppedLog, c.evicted,
		c.renewals, c.instances, c.kvEntries, c.kvBytes, c.state, c.refused, c.dropped, c.stopped,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	files := c.current.load().files
	done := make(map[string]bool, len(files))
	for _, f := range files {
		// Of two files with one name, the first is the one that runs.
		if done[f.plugin] || !validName(f.plugin) {
			continue
		}
		done[f.plugin] = true
		c.collect(out, f)
	}
}

func (c *collector) collect(out chan<- prometheus.Metric, f *file) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, kind, v, append([]string{f.plugin}, labels...)...)
	}
	send(c.state, prometheus.GaugeValue, 1, string(statusOf(f, c.now()).State))
	refused := 0.0
	if f.refused != "" {
		refused = 1
	}
	send(c.refused, prometheus.GaugeValue, refused)
	if f.version == nil {
		return
	}
	r := f.version.record
	t := r.totals()
	entries, bytes, evicted := r.store.Usage()
	send(c.calls, prometheus.CounterValue, float64(t.calls))
	send(c.skipped, prometheus.CounterValue, float64(t.skipped))
	send(c.emissions, prometheus.CounterValue, float64(t.emissions))
	send(c.dropped, prometheus.CounterValue, float64(t.dropped))
	send(c.stopped, prometheus.CounterValue, float64(t.stopped))
	send(c.fuel, prometheus.CounterValue, float64(t.fuel))
	send(c.droppedLog, prometheus.CounterValue, float64(r.log.Dropped()))
	send(c.evicted, prometheus.CounterValue, float64(evicted))
	send(c.renewals, prometheus.CounterValue, float64(r.renewals.Load()))
	send(c.instances, prometheus.GaugeValue, float64(r.instances.Load()))
	send(c.kvEntries, prometheus.GaugeValue, float64(entries))
	send(c.kvBytes, prometheus.GaugeValue, float64(bytes))
	for kind, n := range r.faults {
		send(c.faults, prometheus.CounterValue, float64(n.Load()), string(kind))
	}
}
