package rabbit

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// model is an unacked as one would first write it.
type model struct {
	acked, claimed uint64
	done           map[uint64]string // settled, rejected or absent
}

func (m *model) prefix() uint64 {
	tag := m.acked
	for m.done[tag+1] == "settled" {
		tag++
	}
	return tag
}

// FuzzUnacked drives an unacked and its model with the same steps: each byte is an
// operation and which delivery it concerns.
func FuzzUnacked(f *testing.F) {
	f.Add(uint8(4), []byte{0, 0, 0, 1, 3, 2, 2, 4, 4, 0, 0, 1})
	f.Add(uint8(1), []byte{0, 1, 4, 0, 1, 4, 0, 0, 1, 1, 4})
	f.Add(uint8(3), []byte{0, 0, 2, 6, 3, 4, 13, 4, 0, 0, 0, 0, 5, 10})
	f.Fuzz(func(t *testing.T, prefetch uint8, steps []byte) {
		u := newUnacked(int(prefetch%64) + 1)
		m := &model{done: map[uint64]string{}}
		for _, step := range steps {
			// Any tag claimed so far, old ones included, and none from the future.
			var tag uint64
			if m.claimed > 0 {
				tag = m.claimed - uint64(step/5)%m.claimed
			}
			switch step % 5 {
			case 0:
				fits := m.claimed-m.acked < uint64(len(u.slots))
				if got := u.claim(m.claimed + 1); got != fits {
					t.Fatalf("claim %d is %v", m.claimed+1, got)
				}
				if fits {
					m.claimed++
				}
			case 1:
				if tag == 0 {
					continue
				}
				want := m.done[tag] == ""
				if got := u.settle(tag); got != want {
					t.Fatalf("settle %d is %v, was %q", tag, got, m.done[tag])
				}
				if want {
					m.done[tag] = "settled"
				}
			case 2:
				if tag == 0 {
					continue
				}
				want := m.done[tag] == ""
				if got := u.reject(tag); got != want {
					t.Fatalf("reject %d is %v, was %q", tag, got, m.done[tag])
				}
				if want {
					m.done[tag] = "rejected"
				}
			case 3:
				if tag == 0 {
					continue
				}
				want := m.done[tag] == "rejected"
				if got := u.settleRejected(tag); got != want {
					t.Fatalf("settleRejected %d is %v, was %q", tag, got, m.done[tag])
				}
				if want {
					m.done[tag] = "settled"
				}
			case 4:
				m.acked = m.prefix()
				if got := u.settledUpTo(); got != m.acked {
					t.Fatalf("settled up to %d, want %d", got, m.acked)
				}
				u.advance(m.acked)
			}
			if got := u.count(); got != int(m.claimed-m.acked) {
				t.Fatalf("unacked %d, want %d", got, m.claimed-m.acked)
			}
		}
		if u.claim(m.claimed+2) || u.claim(m.claimed) {
			t.Fatal("a tag out of turn was claimed")
		}
	})
}

// Settled from many goroutines in any order, every delivery is in exactly one
// acknowledged prefix.
func TestUnackedConcurrently(t *testing.T) {
	const prefetch, total, workers = 100, 20_000, 4
	u := newUnacked(prefetch)
	out := make(chan uint64, prefetch)
	var settling sync.WaitGroup
	for range workers {
		settling.Go(func() {
			for tag := range out {
				held := append(make([]uint64, 0, 5), tag)
				for more := true; more && len(held) < cap(held); {
					select { // who waits holds nothing: it may be what all others wait for
					case tag, more = <-out:
						if more {
							held = append(held, tag)
						}
					default:
						more = false
					}
				}
				rand.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
				for _, tag := range held {
					if !u.settle(tag) || u.settle(tag) {
						t.Errorf("delivery %d was not settled once", tag)
					}
				}
			}
		})
	}
	next, acked := uint64(1), uint64(0)
	for acked < total {
		for next <= total && u.count() < prefetch {
			if !u.claim(next) {
				t.Fatalf("delivery %d refused with %d unacknowledged", next, u.count())
			}
			out <- next
			if next++; next > total {
				close(out)
			}
		}
		if tag := u.settledUpTo(); tag > acked {
			acked = tag
			u.advance(tag)
		}
	}
	settling.Wait()
	if u.count() != 0 {
		t.Fatalf("%d left", u.count())
	}
}

func BenchmarkUnacked(b *testing.B) {
	u := newUnacked(512)
	b.ReportAllocs()
	for tag := uint64(1); b.Loop(); tag++ {
		u.claim(tag)
		u.settle(tag)
		if tag%128 == 0 {
			u.advance(u.settledUpTo())
		}
	}
}
