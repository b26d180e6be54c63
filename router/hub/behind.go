package hub

import "time"

// A subscriber that missed more than it has room for is behind: it has been given the
// beginning, and gets the rest from the history as it takes what waits for it. What is
// published meanwhile goes into the history only, so that nothing of it has to be kept
// for the subscriber. When nothing is left it hears what the others do.
const (
	// pace is how often those behind are given more.
	pace = 10 * time.Millisecond
	// paceCost bounds what a shard does for all of them at a time, in bytes sent, and
	// paceEach for one of them. Each publication that is looked at costs lookCost.
	paceCost = 1 << 20
	paceEach = paceCost / 4
	lookCost = 64
)

// catchUp gives those behind more, each in turn, and returns when to go on; nil if
// nobody is behind any more.
func (s *shard) catchUp() <-chan time.Time {
	s.expire()
	spent := 0
	for n := s.behind.len; n > 0 && spent < paceCost; n-- {
		sub := s.behind.first.value
		s.behind.remove(sub.waits)
		spent += s.advance(sub)
	}
	if s.behind.len == 0 {
		return nil
	}
	return time.After(pace)
}

// advance gives a subscriber that is behind as much as it has room for, and returns
// what that cost.
func (s *shard) advance(sub *Subscription) (cost int) {
	f := sub.fan
	entries, whole := s.missed(sub, s.groups[sub.Channel.Group()], s.channels[sub.Channel.Name])
	cost = lookCost * len(entries)
	if !whole {
		s.hub.unrecovered.Inc()
		sub.To.Lost()
		return cost
	}
	b := s.batch()
	room, empty := sub.To.Room()
	for sent := 0; len(entries) > 0 && sent < paceEach; empty = false {
		b.Reset(f.pattern)
		n, most := 0, min(maxBatch, room-sent)
		for ; n < len(entries); n++ {
			e := entries[n]
			if b.Size()+len(e.text)+2*len(e.channel.pattern)+envelope > most && (n > 0 || !empty) {
				break
			}
			b.Add(e.channel.pattern, nil, e.text[e.body:])
		}
		if n == 0 {
			break
		}
		sent += b.Size()
		b.Seal()
		sub.To.Deliver(b)
		s.hub.batches.Inc()
		s.hub.messages.Add(float64(n))
		cost += b.Size()
		sub.Offset, entries = entries[n-1].offset, entries[n:]
	}
	s.free = append(s.free, b)
	if len(entries) > 0 {
		s.behind.push(sub.waits, sub)
		return cost
	}
	s.flush(f)
	f.remove(sub)
	f.add(sub)
	s.hub.recovered.Inc()
	return cost
}
