package main

import "time"

// cost is what the listeners received in a span of time and how late, and the
// longest pause of Go's collector.
type cost struct {
	sent, lost      int
	doubled, astray uint64
	p99, slowest    time.Duration
	pause           time.Duration
}

// measure counts what the listeners received of everything that was published while
// during ran. The latencies are those of everything that late holds by then.
func (b *besieged) measure(late *histogram, during func() error) (cost, error) {
	l := b.ledger
	from, doubled, astray := l.published.Load(), l.doubled.Load(), l.astray.Load()
	before := readPauses()
	l.latency.Store(late)
	err := during()
	to := l.published.Load()
	lost := l.settle(from, to)
	return cost{
		sent: int(to - from), lost: lost,
		doubled: l.doubled.Load() - doubled, astray: l.astray.Load() - astray,
		p99: late.quantile(0.99), slowest: late.highest(), pause: before.longestSince(),
	}, err
}

// settle waits for the serials in [from, to) and returns how many nobody received.
func (l *ledger) settle(from, to uint64) (lost int) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if lost = l.missing(from, to); lost == 0 || time.Now().After(deadline) {
			return lost
		}
	}
}

// add adds a later span, which was measured into the same histogram.
func (c *cost) add(o cost) {
	c.sent += o.sent
	c.lost += o.lost
	c.doubled += o.doubled
	c.astray += o.astray
	c.p99, c.slowest = o.p99, o.slowest
	c.pause = max(c.pause, o.pause)
}
