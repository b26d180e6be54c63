package demo

import "sync"

// tapHistory is how many notifications a new watcher is shown, tapBuffer how
// many a slow one may lag behind before it misses some.
const (
	tapHistory = 40
	tapBuffer  = 64
)

// tap shows the page what the cloud has published. It has nothing to do with
// the router's own delivery, and would not exist in a real cloud.
type tap struct {
	mu       sync.Mutex
	seq      uint64
	recent   []Raw
	watchers map[chan Raw]struct{}
}

// Raw is a notification as it was published.
type Raw struct {
	Seq        uint64 `json:"seq"`
	Exchange   string `json:"exchange"`
	RoutingKey string `json:"routing_key"`
	Project    string `json:"project"` // the owner's name
	Body       string `json:"body"`
	Past       bool   `json:"past"` // published before the watcher came
}

func newTap() *tap { return &tap{watchers: map[chan Raw]struct{}{}} }

func (t *tap) put(m message) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	raw := Raw{Seq: t.seq, Exchange: m.exchange, RoutingKey: m.routingKey, Project: m.project, Body: string(m.body)}
	if len(t.recent) == tapHistory {
		t.recent = append(t.recent[:0], t.recent[1:]...)
	}
	t.recent = append(t.recent, raw)
	for w := range t.watchers {
		select {
		case w <- raw:
		default: // the watcher is slow: it misses this one
		}
	}
}

// watch returns the recent notifications and a channel of those to come; cancel
// ends it. A watcher that lags misses some.
func (t *tap) watch() (recent []Raw, live <-chan Raw, cancel func()) {
	w := make(chan Raw, tapBuffer)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watchers[w] = struct{}{}
	return append([]Raw(nil), t.recent...), w, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.watchers, w)
	}
}
