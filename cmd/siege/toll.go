package main

import "time"

// toll is what the listeners got in a span of time, how late, and how long Go's
// collector stopped everything at the most.
type toll struct {
	sent, lost      int
	doubled, astray uint64
	p99, slowest    time.Duration
	pause           time.Duration
}

// measure tells what the listeners got of all that was published while it ran.
// How late that was is told of all that late holds by then.
func (b *besieged) measure(late *histogram, during func() error) (toll, error) {
	l := b.ledger
	from, doubled, astray := l.published.Load(), l.doubled.Load(), l.astray.Load()
	before := readPauses()
	l.latency.Store(late)
	err := during()
	to := l.published.Load()
	lost := l.settle(from, to)
	return toll{
		sent: int(to - from), lost: lost,
		doubled: l.doubled.Load() - doubled, astray: l.astray.Load() - astray,
		p99: late.quantile(0.99), slowest: late.highest(), pause: before.longestSince(),
	}, err
}

// settle waits for the serials in [from, to) and tells how many nobody got.
func (l *ledger) settle(from, to uint64) (lost int) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if lost = l.missing(from, to); lost == 0 || time.Now().After(deadline) {
			return lost
		}
	}
}

// add makes t that of both spans, of which o is the later and was measured into
// the same histogram.
func (t *toll) add(o toll) {
	t.sent += o.sent
	t.lost += o.lost
	t.doubled += o.doubled
	t.astray += o.astray
	t.p99, t.slowest = o.p99, o.slowest
	t.pause = max(t.pause, o.pause)
}
