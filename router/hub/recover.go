package hub

import (
	"cmp"
	"slices"

	"horizon-realtime/router/wire"
)

// recover fills s.reply: what a new subscription has missed, if all of it is
// still there. ch is nil for a wildcard.
func (s *shard) recover(sub *Subscription, g *group, ch *channel) {
	epoch, top := s.hub.events.Position()
	r := &s.reply
	*r = wire.Recovery{
		Recoverable:  s.on(),
		Recovering:   sub.Recover,
		Epoch:        epoch,
		Offset:       top,
		Publications: r.Publications[:0],
	}
	if !sub.Recover {
		return
	}
	known := sub.Epoch == epoch || sub.Epoch == "" && sub.Offset == 0
	if s.on() && known && sub.Offset <= top && s.gather(sub, g, ch) {
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

// gather collects what was published after the subscription's offset. It reports
// whether that is complete and the subscriber has room for it.
func (s *shard) gather(sub *Subscription, g *group, ch *channel) bool {
	var entries []*entry
	if ch != nil {
		if ch.dropped > sub.Offset {
			return false
		}
		entries = missed(nil, ch, sub.Offset, sub.Project)
	} else {
		if g.forgotten > sub.Offset {
			return false
		}
		for _, ch := range g.channels {
			if ch.dropped > sub.Offset {
				return false
			}
			entries = missed(entries, ch, sub.Offset, sub.Project)
		}
		slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	}
	var all bool
	s.reply.Publications, all = encode(s.reply.Publications, entries, ch == nil, sub.To.Room())
	return all
}

// missed appends the channel's publications after offset that are for subscribers
// in a project, oldest first.
func missed(entries []*entry, ch *channel, offset uint64, project string) []*entry {
	for e := ch.oldest; e != nil; e = e.newer {
		if e.offset > offset && e.heard(project) {
			entries = append(entries, e)
		}
	}
	return entries
}

// encode appends entries as JSON objects joined by commas, as many as keep dst
// within room, and reports whether that is all of them.
func encode(dst []byte, entries []*entry, tagged bool, room int) ([]byte, bool) {
	for _, e := range entries {
		before := len(dst)
		if before > 0 {
			dst = append(dst, ',')
		}
		concrete := ""
		if tagged {
			concrete = e.channel.pattern
		}
		if dst = wire.AppendPublication(dst, concrete, e.text[e.body:]); len(dst) > room {
			return dst[:before], false
		}
	}
	return dst, true
}
