package router

import (
	"sync/atomic"

	"horizon-realtime/router/fair"
	"horizon-realtime/router/oslo"
)

// split queues the parts of a message that is about several projects' resources, each as
// a job of its own, and reports whether there are any.
func (p *pipeline) split(i *fair.Item[job], queue func(project uint64, i *fair.Item[job])) bool {
	parts := oslo.Split(&i.Value.Notification)
	if parts == nil {
		return false
	}
	d := newSharedDelivery(i.Value.delivery, len(parts))
	p.release(i)
	for _, body := range parts {
		part := p.jobs.Get().(*fair.Item[job])
		part.Value.delivery = d
		if err := p.oslo.Decode(&part.Value.Notification, body, ""); err != nil {
			p.reject(part, err)
			continue
		}
		queue(p.project(&part.Value.Notification), part)
	}
	return true
}

// sharedDelivery is that of a message which the router has split: it is settled once all
// parts are, and put aside if one of them was.
type sharedDelivery struct {
	Delivery
	open   atomic.Int32
	reason atomic.Pointer[string]
}

func newSharedDelivery(d Delivery, parts int) *sharedDelivery {
	s := &sharedDelivery{Delivery: d}
	s.open.Store(int32(parts))
	return s
}

// Ack settles a part.
func (s *sharedDelivery) Ack() {
	if s.open.Add(-1) > 0 {
		return
	}
	if reason := s.reason.Load(); reason != nil {
		s.Delivery.Reject(*reason)
	} else {
		s.Delivery.Ack()
	}
}

// Reject settles a part that is to be put aside.
func (s *sharedDelivery) Reject(reason string) {
	s.reason.Store(&reason)
	s.Ack()
}
