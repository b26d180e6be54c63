package session

import (
	"container/list"
	"context"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
)

// Strangers is what has not said who it is yet: connections that are silent, still
// shake hands, send a request, wait for the next one, or have not connected. When there
// are too many, the one that began its last request before all others is closed, so
// that the places of strangers cannot all be held. Its methods, and those of Place,
// may be called concurrently.
type Strangers struct {
	max, maxPerAddress int
	log                *auth.RefusalLog
	all, ofAddress     prometheus.Counter // closed, by the bound that closed them

	mu        sync.Mutex
	oldest    *list.List            // of *Place; the oldest first
	addresses map[string]*list.List // the same, by address
}

func newStrangers(cfg Config, m *metrics, log *auth.RefusalLog, reg prometheus.Registerer) *Strangers {
	st := &Strangers{
		max: cfg.MaxStrangers, maxPerAddress: cfg.MaxStrangersPerAddress, log: log,
		all: m.refusals.WithLabelValues("strangers"), ofAddress: m.refusals.WithLabelValues("strangers_address"),
		oldest: list.New(), addresses: map[string]*list.List{},
	}
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "horizon_realtime_server_strangers",
		Help: "Connections that have not said who they are, against [server] max_strangers.",
	}, func() float64 { return float64(st.Len()) }))
	return st
}

// Len is how many strangers there are.
func (st *Strangers) Len() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.oldest.Len()
}

// Place is what one connection, or one of the requests that share a connection, is
// among strangers. A nil Place does nothing.
type Place struct {
	strangers *Strangers
	parent    *Place // of the connection, if this is a request's
	close     func()

	// All below is guarded by strangers.mu.
	address string        // as auth.Network has it; empty: not counted by address
	here    *list.Element // in strangers.oldest; nil: it is no stranger
	there   *list.Element // among those of its address
	named   int32         // sessions that have connected
	gone    bool
}

// Place makes a place for a connection from an address. close, which must not block, is
// called if another stranger needs the place more. Leave gives it back.
func (st *Strangers) Place(address string, close func()) *Place {
	return &Place{strangers: st, address: address, close: close}
}

// PlaceOfRequest is Place for one of the requests that share a connection, whose place
// is parent.
func (st *Strangers) PlaceOfRequest(parent *Place, close func()) *Place {
	p := st.Place("", close)
	if parent != nil {
		st.mu.Lock()
		defer st.mu.Unlock()
		p.parent, p.address = parent, parent.address
	}
	return p
}

// Enter counts the place's owner among strangers, as the newest. It is called again
// when the owner begins another request.
func (p *Place) Enter() { p.change(func() {}) }

// Move changes the address that the owner is counted under, since a proxy has named
// another.
func (p *Place) Move(address string) { p.change(func() { p.address = address }) }

// Leave is called when the owner is gone.
func (p *Place) Leave() { p.change(func() { p.gone = true }) }

// name takes a place out of the strangers', with its connection's.
func (p *Place) name() {
	p.change(func() { p.named++ })
	if p != nil {
		p.parent.name()
	}
}

// unname undoes name when the session is over.
func (p *Place) unname() {
	p.change(func() { p.named-- })
	if p != nil {
		p.parent.unname()
	}
}

// change lists the place anew, as the newest, and closes whoever has none then.
func (p *Place) change(how func()) {
	if p == nil {
		return
	}
	st := p.strangers
	st.mu.Lock()
	st.unlist(p)
	how()
	var last *Place
	var address string
	if !p.gone && p.named == 0 {
		if last = st.list(p); last != nil {
			address = last.address
		}
	}
	st.mu.Unlock()
	if last != nil {
		st.log.Log(slog.LevelWarn, "closed a connection that has not said who it is, for a newer one", "address", address)
		last.close()
	}
}

// list counts a place, and returns the one that is over a bound; nil: none is.
func (st *Strangers) list(p *Place) (over *Place) {
	p.here = st.oldest.PushBack(p)
	those := st.addresses[p.address]
	if those == nil {
		those = list.New()
		st.addresses[p.address] = those
	}
	p.there = those.PushBack(p)
	switch {
	case p.address != "" && st.maxPerAddress > 0 && those.Len() > st.maxPerAddress:
		over = those.Front().Value.(*Place)
		st.ofAddress.Inc()
	case st.oldest.Len() > st.max:
		over = st.oldest.Front().Value.(*Place)
		st.all.Inc()
	default:
		return nil
	}
	st.unlist(over)
	over.gone = true
	return over
}

func (st *Strangers) unlist(p *Place) {
	if p.here == nil {
		return
	}
	st.oldest.Remove(p.here)
	those := st.addresses[p.address]
	if those.Remove(p.there); those.Len() == 0 {
		delete(st.addresses, p.address)
	}
	p.here, p.there = nil, nil
}

type placeKey struct{}

// WithPlace is ctx with the place of the connection, or of the request, that it is
// of.
func WithPlace(ctx context.Context, p *Place) context.Context {
	return context.WithValue(ctx, placeKey{}, p)
}

// PlaceOf is the place in ctx; nil if there is none.
func PlaceOf(ctx context.Context) *Place {
	p, _ := ctx.Value(placeKey{}).(*Place)
	return p
}
