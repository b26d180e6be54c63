package hub

import "slices"

// recover fills s.reply: what a new subscription has missed, if all of it is
// still there. ch is nil for a wildcard.
func (s *shard) recover(sub *Subscription, g *group, ch *channel) {
	epoch, top := s.hub.events.Position()
	r := &s.reply
	*r = Recovery{
		Recoverable:  s.on(),
		Recovering:   sub.Recover,
		Epoch:        epoch,
		Offset:       top,
		Publications: r.Publications[:0],
	}
	if !sub.Recover {
		return
	}
	if s.on() && sub.Epoch == epoch && sub.Offset <= top && s.gather(sub, g, ch) {
		r.Recovered, r.Offset = true, sub.Offset
		s.hub.recovered.Inc()
	} else {
		r.Publications = r.Publications[:0]
		s.hub.unrecovered.Inc()
	}
	if cap(r.Publications) > 4*maxBatch && len(r.Publications) <= maxBatch {
		r.Publications = slices.Clone(r.Publications)
	}
}

// gather collects what was published after the subscription's offset. It tells
// whether that is all of it, and no more than the subscriber has room for.
func (s *shard) gather(sub *Subscription, g *group, ch *channel) bool {
	if ch != nil {
		return ch.dropped <= sub.Offset && s.list(missed(nil, ch, sub.Offset), sub, false)
	}
	if g.forgotten > sub.Offset {
		return false
	}
	var entries []*entry
	for _, ch := range g.channels {
		if ch.dropped > sub.Offset {
			return false
		}
		entries = missed(entries, ch, sub.Offset)
	}
	slices.SortFunc(entries, func(a, b *entry) int {
		if a.offset < b.offset {
			return -1
		}
		return 1
	})
	return s.list(entries, sub, true)
}

// missed appends the channel's publications after offset, oldest first.
func missed(entries []*entry, ch *channel, offset uint64) []*entry {
	for e := ch.oldest; e != nil; e = e.newer {
		if e.offset > offset {
			entries = append(entries, e)
		}
	}
	return entries
}

// list encodes the entries into s.reply, unless they are more than the
// subscriber has room for.
func (s *shard) list(entries []*entry, sub *Subscription, tagged bool) bool {
	room := sub.To.Room()
	for _, e := range entries {
		if len(s.reply.Publications) > 0 {
			s.reply.Publications = append(s.reply.Publications, ',')
		}
		concrete := ""
		if tagged {
			concrete = e.channel.pattern
		}
		s.reply.Publications = appendPublication(s.reply.Publications, concrete, e.body)
		if len(s.reply.Publications) > room {
			return false
		}
	}
	return true
}
