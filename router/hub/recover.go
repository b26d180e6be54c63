package hub

import (
	"cmp"
	"slices"

	"horizon-realtime/router/wire"
)

// recover fills s.reply: what a new subscription has missed, if all of it is still
// there. It reports whether that is all there is to say: what the subscriber has no
// room for is given to it later. ch is nil for a wildcard.
func (s *shard) recover(sub *Subscription, g *group, ch *channel) (all bool) {
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
		return true
	}
	known := sub.Epoch == epoch || sub.Epoch == "" && sub.Offset == 0
	var entries []*entry
	if s.on() && known && sub.Offset <= top {
		entries, r.Recovered = s.missed(sub, g, ch)
	}
	if !r.Recovered {
		s.hub.unrecovered.Inc()
		return true
	}
	r.Offset = sub.Offset
	room, _ := sub.To.Room()
	var n int
	if r.Publications, n = encode(r.Publications, entries, ch == nil, room); n > 0 {
		sub.Offset = entries[n-1].offset
	}
	if all = n == len(entries); all {
		s.hub.recovered.Inc()
	}
	if cap(r.Publications) > 4*maxBatch && len(r.Publications) <= maxBatch {
		r.Publications = slices.Clone(r.Publications)
	}
	return all
}

// missed is what was published after the subscription's offset, oldest first, in a
// slice that is used again. whole reports whether the history still has all of it. Of a
// wildcard, ch is nil.
func (s *shard) missed(sub *Subscription, g *group, ch *channel) (entries []*entry, whole bool) {
	if s.found = s.found[:0]; cap(s.found) > maxFound {
		s.found = nil
	}
	if ch != nil {
		s.found = since(s.found, ch, sub.Offset, sub.Project)
		return s.found, ch.dropped <= sub.Offset
	}
	whole = g.forgotten <= sub.Offset
	for _, ch := range g.channels {
		whole = whole && ch.dropped <= sub.Offset
		if whole {
			s.found = since(s.found, ch, sub.Offset, sub.Project)
		}
	}
	slices.SortFunc(s.found, func(a, b *entry) int { return cmp.Compare(a.offset, b.offset) })
	return s.found, whole
}

// maxFound is how long a slice for missed may be to be used again.
const maxFound = 4096

// since appends the channel's publications after offset that are for subscribers
// in a project, oldest first.
func since(entries []*entry, ch *channel, offset uint64, project string) []*entry {
	for e := ch.oldest; e != nil; e = e.newer {
		if e.offset > offset && e.heard(project) {
			entries = append(entries, e)
		}
	}
	return entries
}

// encode appends entries as JSON objects joined by commas, as many as keep dst
// within room, and returns how many.
func encode(dst []byte, entries []*entry, tagged bool, room int) ([]byte, int) {
	for n, e := range entries {
		before := len(dst)
		if before > 0 {
			dst = append(dst, ',')
		}
		concrete := ""
		if tagged {
			concrete = e.channel.pattern
		}
		if dst = wire.AppendPublication(dst, concrete, e.text[e.body:]); len(dst) > room {
			return dst[:before], n
		}
	}
	return dst, len(entries)
}
