package hub

import (
	"sync/atomic"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/fair"
	"horizon-realtime/router/wire"
)

// maxBatch is how many bytes are joined at most.
const maxBatch = wire.MaxBatch

// maxDirty bounds how many channels wait to be sent at the same time, and so the
// buffers in use.
const maxDirty = 256

// sweep is how often the history drops what is too old.
const sweep = time.Second

// shard owns a part of the groups. All below wanted is its goroutine's.
type shard struct {
	hub    *Hub
	queue  *fair.Queue[command]
	hurry  chan struct{} // holds a token if somebody waits for room
	pool   pool
	wanted atomic.Int64 // subscriptions, those still queued included

	registry
	history
	behind      list[Subscription] // the one that has waited longest first
	maxChannels int
	began       time.Time
	delay       time.Duration // [hub] batch_delay
	drained     time.Time     // when the last round ended, if there is a delay

	work  []*item // turns under way
	body  []byte
	dirty []*fan
	free  []*wire.Batch
	reply wire.Recovery
	found []*entry // what a subscriber has missed
	// what the gauges were last set to
	toldChannels, toldBytes int
}

func newShard(h *Hub, shards int) *shard {
	s := &shard{
		hub:         h,
		hurry:       make(chan struct{}, 1),
		pool:        pool{maxBytes: h.cfg.QueueBytes},
		registry:    newRegistry(),
		history:     history{size: h.cfg.HistorySize, ttl: h.cfg.HistoryTTL, bytes: h.cfg.HistoryBytes / shards},
		maxChannels: max(1, h.cfg.Channels/shards),
		began:       time.Now(),
		delay:       h.cfg.BatchDelay,
	}
	s.queue = s.newQueue(h.cfg.QueueBytes)
	return s
}

// run works until stop is closed, then finishes what was accepted.
func (s *shard) run(stop <-chan struct{}) {
	tick := time.NewTicker(sweep)
	defer tick.Stop()
	at := func(more bool) <-chan time.Time {
		if more {
			return closedTimer
		}
		return nil
	}
	var again <-chan time.Time // when the next round is; nil until something waits
	var late <-chan time.Time  // when those behind get more; nil while there are none
	for {
		if late == nil && s.behind.len > 0 {
			late = time.After(pace)
		}
		select {
		case <-s.queue.Wake():
			if again != nil {
				continue
			}
			if wait := time.Until(s.drained.Add(s.delay)); wait > 0 {
				again = time.After(wait)
				continue
			}
			again = at(s.round())
		case <-again:
			again = at(s.round())
		case <-s.hurry: // a publisher waits, so the delay is over
			again = at(s.round())
		case <-late:
			late = s.catchUp()
		case <-tick.C:
			s.expire()
			s.tell()
		case <-stop:
			s.queue.Close()
			s.drain()
			return
		}
	}
}

// closedTimer is a timer that is always over.
var closedTimer = func() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}()

// drain does everything that waits.
func (s *shard) drain() {
	for s.round() {
	}
}

// round does one turn of each group that waits, sends what came of it, and reports
// whether more waits. What arrives meanwhile wakes the shard again.
func (s *shard) round() (more bool) {
	s.work, more = s.queue.Take(s.work[:0], maxTurns)
	now := time.Since(s.began)
	for _, turn := range s.work {
		for i := turn; i != nil; i = i.Next() {
			switch c := &i.Value; c.verb {
			case publish:
				s.publish(c, now)
			case subscribe:
				s.subscribe(c.sub, c.id)
			case unsubscribe:
				s.unsubscribe(c.sub, c.id)
			case inspect:
				s.inspect(c.Channel, c.inspect)
			}
		}
		s.flushAll()
	}
	s.pool.keep(s.work)
	if s.delay > 0 && len(s.work) > 0 { // a wake may find nothing
		s.drained = time.Now()
	}
	return more
}

// publish numbers a publication, remembers it, and puts it into the batches of its
// subscribers.
func (s *shard) publish(p *command, now time.Duration) {
	offset := s.hub.events.Draw()
	ch := s.channels[p.Channel.Name]
	if ch == nil && s.on() {
		ch = s.openChannel(p.Channel)
		s.limitChannels()
	}
	var g *group
	if ch != nil {
		g = ch.group
	} else {
		g = s.groups[p.Channel.Group()]
	}
	exact, wild := ch != nil && ch.heard(), g != nil && g.heard()
	if !s.on() && !exact && !wild {
		return
	}
	s.body = wire.AppendBody(s.body[:0], &wire.Publication{
		Data: p.Data, Offset: offset, Key: p.Key, Removed: p.Removed, Time: p.At,
	})
	if s.on() {
		s.remember(ch, offset, now, p.project)
	}
	if exact {
		s.append(&ch.fan, p)
	}
	if wild {
		s.append(&g.fan, p)
	}
}

// remember adds s.body to the channel's history, within all bounds.
func (s *shard) remember(ch *channel, offset uint64, now time.Duration, project []byte) {
	if ch.idle() {
		s.unrest(ch)
		s.rest(ch)
	}
	for ch.kept >= s.size {
		s.drop(ch, bySize)
	}
	need := 1 << slabClass(len(project)+len(s.body))
	for s.used+need > s.bytes && s.entries.len > 0 {
		s.drop(s.entries.first.value.channel, byBytes)
	}
	if need > s.bytes {
		ch.dropped = offset
		return
	}
	s.add(ch, offset, now, project, s.body)
}

func (s *shard) drop(ch *channel, why dropReason) {
	s.history.drop(ch)
	s.hub.dropped[why].Inc()
}

// expire drops what is older than the history's age.
func (s *shard) expire() {
	limit := time.Since(s.began) - s.ttl
	for s.entries.len > 0 && s.entries.first.value.at < limit {
		s.drop(s.entries.first.value.channel, byAge)
	}
}

// limitChannels forgets idle channels while there are too many.
func (s *shard) limitChannels() {
	for s.idle.len > s.maxChannels {
		ch := s.idle.first.value
		for ch.kept > 0 {
			s.drop(ch, byChannels)
		}
		s.closeChannel(ch)
		s.hub.forgotten.Inc()
	}
}

// append puts s.body into what waits for the subscribers of f, those in p's project
// if it has one.
func (s *shard) append(f *fan, p *command) {
	for ; f != nil; f = f.next {
		if len(f.subs) > 0 && (len(p.project) == 0 || string(p.project) == f.project) {
			s.appendTo(f, p)
		}
	}
}

func (s *shard) appendTo(f *fan, p *command) {
	if f.pending != nil && f.pending.Size()+len(s.body) > maxBatch {
		s.flush(f)
	}
	if f.pending == nil {
		if len(s.dirty) == maxDirty {
			s.flushAll()
		}
		f.pending = s.batch()
		f.pending.Reset(f.pattern)
		s.dirty = append(s.dirty, f)
	}
	f.pending.Add(p.Channel.Name, p.Key, s.body)
}

// flushAll sends everything that waits to be sent.
func (s *shard) flushAll() {
	for i, f := range s.dirty {
		s.flush(f)
		s.dirty[i] = nil
	}
	s.dirty = s.dirty[:0]
}

// flush sends what waits for the subscribers of f.
func (s *shard) flush(f *fan) {
	b := f.pending
	if b == nil {
		return
	}
	b.Seal()
	for _, sub := range f.subs {
		sub.To.Deliver(b)
	}
	s.hub.batches.Add(float64(len(f.subs)))
	s.hub.messages.Add(float64(len(f.subs) * b.Len()))
	f.pending = nil
	if len(s.free) < maxDirty {
		s.free = append(s.free, b)
	}
}

func (s *shard) batch() *wire.Batch {
	last := len(s.free) - 1
	if last < 0 {
		s.free, last = append(s.free, new(wire.Batch)), 0
	}
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

// fan finds or makes the fan that a subscription belongs to.
func (s *shard) fan(sub *Subscription) (*fan, *group, *channel) {
	project := ""
	if sub.Channel.Scope == event.ScopeUser {
		project = sub.Project
	}
	if sub.Channel.Wildcard() {
		g := s.openGroup(sub.Channel)
		return g.in(project), g, nil
	}
	ch := s.openChannel(sub.Channel)
	s.unrest(ch)
	return ch.in(project), ch.group, ch
}

func (s *shard) subscribe(sub *Subscription, id uint32) {
	if sub.ended || sub.fan != nil {
		s.wanted.Add(-1)
		return
	}
	s.expire()
	f, g, ch := s.fan(sub)
	s.flush(f)
	all := s.recover(sub, g, ch)
	sub.To.Subscribed(sub, id, &s.reply)
	if sub.Recover && sub.MustRecover && !s.reply.Recovered {
		sub.ended = true
		s.wanted.Add(-1)
		s.release(sub.Channel)
		return
	}
	if all {
		f.add(sub)
	} else {
		f.addBehind(sub)
		sub.waits = new(node[Subscription])
		s.behind.push(sub.waits, sub)
	}
	s.hub.subscriptions.Inc()
}

func (s *shard) unsubscribe(sub *Subscription, id uint32) {
	if f := sub.fan; f != nil {
		s.flush(f)
		f.remove(sub)
		if sub.waits != nil && sub.waits.value != nil {
			s.behind.remove(sub.waits)
		}
		s.wanted.Add(-1)
		s.hub.subscriptions.Dec()
		s.release(sub.Channel)
	}
	sub.ended = true
	sub.To.Unsubscribed(sub, id)
}

// release makes a channel idle, or forgets a group, if it has no subscribers left.
func (s *shard) release(c event.Channel) {
	if c.Wildcard() {
		g := s.groups[c.Group()]
		g.trim()
		s.closeGroup(g)
		return
	}
	ch := s.channels[c.Name]
	if ch.trim(); ch.heard() {
		return
	}
	s.rest(ch)
	if ch.kept == 0 && ch.dropped <= ch.group.forgotten {
		s.closeChannel(ch) // it knows nothing that its group does not
	}
	s.limitChannels()
}

// tell updates the gauges.
func (s *shard) tell() {
	s.hub.channels.Add(float64(len(s.channels) - s.toldChannels))
	s.hub.historyBytes.Add(float64(s.used - s.toldBytes))
	s.toldChannels, s.toldBytes = len(s.channels), s.used
}
