package main

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Every notification gets a serial number, which travels as the id of its
// server: a UUID whose last twelve digits are the serial in decimal.
const (
	idPrefix = "51e9e000-0000-4000-8000-"
	idDigits = 12
)

func serialID(serial uint64) string { return fmt.Sprintf("%s%0*d", idPrefix, idDigits, serial) }

// serialOf finds the serial in a panel message.
func serialOf(message []byte) (uint64, bool) {
	_, after, ok := bytes.Cut(message, []byte(`"id":"`+idPrefix))
	if !ok || len(after) < idDigits {
		return 0, false
	}
	serial, err := strconv.ParseUint(string(after[:idDigits]), 10, 64)
	return serial, err == nil
}

// ledger counts what was published and what was delivered. The source writes one
// side and the listeners the other, concurrently.
type ledger struct {
	slots []slot
	// published is how many serials there are; the next one is its value.
	published atomic.Uint64
	delivered atomic.Uint64
	// doubled were delivered again, astray to somebody who must not hear them.
	doubled, astray atomic.Uint64
	latency         atomic.Pointer[histogram]
}

// slot is one notification's. Slots are used again, much later.
type slot struct {
	at  atomic.Int64 // when it was to be published, in Unix ns
	got atomic.Uint32
}

func newLedger() *ledger {
	l := &ledger{slots: make([]slot, 1<<17)}
	l.latency.Store(new(histogram))
	return l
}

func (l *ledger) slot(serial uint64) *slot { return &l.slots[serial%uint64(len(l.slots))] }

// publish counts the next notification, which was to be published at that time.
func (l *ledger) publish(at time.Time) (serial uint64) {
	serial = l.published.Load()
	s := l.slot(serial)
	s.at.Store(at.UnixNano())
	s.got.Store(0)
	l.published.Add(1)
	return serial
}

// deliver counts a message that a listener received.
func (l *ledger) deliver(serial uint64) {
	s := l.slot(serial)
	if s.got.Add(1) > 1 {
		l.doubled.Add(1)
		return
	}
	l.delivered.Add(1)
	l.latency.Load().add(time.Since(time.Unix(0, s.at.Load())))
}

// missing counts the serials in [from, to) that nobody has received.
func (l *ledger) missing(from, to uint64) (n int) {
	for serial := from; serial < to; serial++ {
		if l.slot(serial).got.Load() == 0 {
			n++
		}
	}
	return n
}

// drain waits until everything that was published has been delivered, or will not be.
func (l *ledger) drain() {
	for deadline := time.Now().Add(patience); l.delivered.Load() < l.published.Load() && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
}

// histogram counts durations in steps of a tenth of a millisecond.
type histogram struct {
	steps [20_001]atomic.Uint32
	count atomic.Uint64
}

const step = 100 * time.Microsecond

func (h *histogram) add(d time.Duration) {
	h.steps[min(max(d/step, 0), time.Duration(len(h.steps)-1))].Add(1)
	h.count.Add(1)
}

// quantile is the duration that the share q of all stays below.
func (h *histogram) quantile(q float64) time.Duration {
	rank, seen := uint64(q*float64(h.count.Load())), uint64(0)
	for i := range h.steps {
		if seen += uint64(h.steps[i].Load()); seen > rank {
			return time.Duration(i+1) * step
		}
	}
	return time.Duration(len(h.steps)) * step
}

// highest is the longest duration.
func (h *histogram) highest() time.Duration {
	for i := len(h.steps) - 1; i >= 0; i-- {
		if h.steps[i].Load() > 0 {
			return time.Duration(i+1) * step
		}
	}
	return 0
}
