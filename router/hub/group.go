package hub

import (
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/wire"
)

// fan is a set of subscribers that are all sent the same bytes, once they are not
// behind: those of one channel, or of one wildcard. In a user's channels each project has its own fan.
type fan struct {
	pattern string // what they subscribed to
	project string // in a user's channels, the one they are in; empty: none
	subs    []*Subscription
	behind  int         // subscribers that are not yet among subs
	pending *wire.Batch // waiting to be sent to all of them; nil if nothing is
	next    *fan        // of another project; has subscribers
}

// heard reports whether there is a subscriber, in any project.
func (f *fan) heard() bool { return f.used() || f.next != nil }

func (f *fan) used() bool { return len(f.subs)+f.behind > 0 }

// in finds or makes the fan of a project.
func (f *fan) in(project string) *fan {
	last := f
	for ; f != nil; last, f = f, f.next {
		if f.project == project {
			return f
		}
	}
	last.next = &fan{pattern: last.pattern, project: strings.Clone(project)}
	return last.next
}

// trim forgets the fans of other projects that have no subscribers left.
func (f *fan) trim() {
	for link := &f.next; *link != nil; {
		if !(*link).used() {
			*link = (*link).next
		} else {
			link = &(*link).next
		}
	}
}

func (f *fan) add(sub *Subscription) {
	sub.fan, sub.index = f, int32(len(f.subs))
	f.subs = append(f.subs, sub)
}

// isBehind is Subscription.index of a subscriber that is behind.
const isBehind = -1

// addBehind adds a subscriber that is behind.
func (f *fan) addBehind(sub *Subscription) {
	sub.fan, sub.index = f, isBehind
	f.behind++
}

// remove puts the last subscriber into the place of the one that goes.
func (f *fan) remove(sub *Subscription) {
	if sub.index == isBehind {
		sub.fan = nil
		f.behind--
		return
	}
	last := len(f.subs) - 1
	f.subs[sub.index] = f.subs[last]
	f.subs[sub.index].index = sub.index
	f.subs[last] = nil
	f.subs = f.subs[:last]
	sub.fan = nil
	if last == 0 {
		f.subs = nil
	} else if cap(f.subs) > 64 && last < cap(f.subs)/4 {
		f.subs = append(make([]*Subscription, 0, 2*last), f.subs...)
	}
}

// group is the channels of one project, user or scope, which one wildcard matches.
type group struct {
	fan
	name     string
	channels []*channel
	// forgotten is the highest offset dropped from channels of the group that
	// are not among channels.
	forgotten uint64
}

// channel is a channel that has subscribers or history, or had lately.
type channel struct {
	fan
	group *group
	place int // in group.channels

	oldest, newest *entry // of its history, if kept is not 0
	kept           int
	// dropped is the watermark: the highest offset of a publication that the
	// channel's history no longer holds. A client that has this one or a later
	// one can be given everything it missed.
	dropped uint64

	resting node[channel] // among the idle channels
}

// idle reports whether the channel has no subscribers.
func (c *channel) idle() bool { return c.resting.value != nil }

// registry is the groups and channels that a shard knows. A channel without
// subscribers is idle: it is kept for its history and its watermark until there are
// too many. Then the one longest without a publication is forgotten first.
type registry struct {
	groups   map[string]*group
	channels map[string]*channel
	// forgotten is the highest offset dropped from channels of groups that are
	// not known.
	forgotten uint64

	idle list[channel] // the one longest without a publication first
}

func newRegistry() registry {
	return registry{groups: map[string]*group{}, channels: map[string]*channel{}}
}

// openGroup finds or makes a group.
func (r *registry) openGroup(c event.Channel) *group {
	name := c.Group()
	g := r.groups[name]
	if g == nil {
		g = &group{name: name, forgotten: r.forgotten}
		g.pattern = name + "/*"
		r.groups[name] = g
	}
	return g
}

// openChannel finds or makes a channel; a new one is idle.
func (r *registry) openChannel(c event.Channel) *channel {
	ch := r.channels[c.Name]
	if ch == nil {
		g := r.openGroup(c)
		ch = &channel{group: g, place: len(g.channels), dropped: g.forgotten}
		ch.pattern = c.Name
		g.channels = append(g.channels, ch)
		r.channels[c.Name] = ch
		r.rest(ch)
	}
	return ch
}

// closeChannel forgets an idle channel without history.
func (r *registry) closeChannel(ch *channel) {
	r.unrest(ch)
	delete(r.channels, ch.pattern)
	g := ch.group
	g.forgotten = max(g.forgotten, ch.dropped)
	last := len(g.channels) - 1
	g.channels[ch.place] = g.channels[last]
	g.channels[ch.place].place = ch.place
	g.channels[last] = nil
	g.channels = g.channels[:last]
	r.closeGroup(g)
}

// closeGroup forgets a group that nothing needs any more.
func (r *registry) closeGroup(g *group) {
	if len(g.channels) == 0 && !g.heard() {
		r.forgotten = max(r.forgotten, g.forgotten)
		delete(r.groups, g.name)
	}
}

// rest puts a channel at the recent end of the idle list.
func (r *registry) rest(ch *channel) { r.idle.push(&ch.resting, ch) }

// unrest removes a channel from the idle list, if it is there.
func (r *registry) unrest(ch *channel) {
	if ch.idle() {
		r.idle.remove(&ch.resting)
	}
}
