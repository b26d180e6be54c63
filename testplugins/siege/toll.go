package main

import "time"

// toll is what the listeners got in a span of time, how late, and how long Go's
// collector stopped everything at the most.
type toll struct {
	sent, lost      int
	doubled, astray uint64
	late            *histogram
	pause           time.Duration
}

// measure tells what the listeners got of all that was published while it ran.
func (b *besieged) measure(during func() error) (toll, error) {
	l := b.ledger
	from, doubled, astray := l.published.Load(), l.doubled.Load(), l.astray.Load()
	before, late := readPauses(), new(histogram)
	l.latency.Store(late)
	err := during()
	to := l.published.Load()
	return toll{
		sent: int(to - from), lost: l.settle(from, to),
		doubled: l.doubled.Load() - doubled, astray: l.astray.Load() - astray,
		late: late, pause: before.longestSince(),
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

// add makes t that of both spans.
func (t *toll) add(o toll) {
	if t.late == nil {
		t.late = new(histogram)
	}
	t.sent += o.sent
	t.lost += o.lost
	t.doubled += o.doubled
	t.astray += o.astray
	t.pause = max(t.pause, o.pause)
	t.late.merge(o.late)
}
