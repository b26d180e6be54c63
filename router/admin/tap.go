package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/event"
)

const (
	// tapBuffer is how many notifications a tap may lag behind, and tapBytes how many
	// bytes.
	tapBuffer = 1024
	tapBytes  = 16 << 20
	// tapPatience bounds how long one write to a tap's client may take.
	tapPatience = 10 * time.Second
	// tapPath is where Tap is served.
	tapPath = "/api/notifications"
)

// Tap lets an operator's programs read the notifications: GET /api/notifications
// streams every one as plugins receive it (secrets blanked), one JSON object per
// line, for as long as the client stays. It never delays anybody: a client that does
// not keep up is cut off.
//
// Offer may be called concurrently, and costs one atomic load while nobody reads.
type Tap struct {
	limit   int
	reading atomic.Int32

	mu      sync.Mutex
	clients map[chan []byte]*atomic.Int64 // with the bytes that wait for each

	refused, slow prometheus.Counter
}

// NewTap makes a tap for up to cfg.Taps clients.
func NewTap(cfg Config, reg prometheus.Registerer) *Tap {
	t := &Tap{limit: cfg.Taps, clients: make(map[chan []byte]*atomic.Int64),
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "horizon_realtime_admin_taps_refused_total",
			Help: "Clients that were refused because as many as [admin] taps allows are reading."}),
		slow: prometheus.NewCounter(prometheus.CounterOpts{Name: "horizon_realtime_admin_taps_slow_total",
			Help: "Clients that were cut off because they did not keep up."}),
	}
	reg.MustRegister(t.refused, t.slow, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "horizon_realtime_admin_taps", Help: "Clients that are reading notifications.",
	}, func() float64 { return float64(t.reading.Load()) }))
	return t
}

// Offer shows a notification to the clients.
func (t *Tap) Offer(n *event.Notification) {
	if t.reading.Load() == 0 {
		return
	}
	var line bytes.Buffer
	if err := json.Compact(&line, n.Raw()); err != nil {
		return // not possible: it was decoded
	}
	line.WriteByte('\n')
	t.mu.Lock()
	defer t.mu.Unlock()
	for client, waiting := range t.clients {
		if waiting.Add(int64(line.Len())) <= tapBytes {
			select {
			case client <- line.Bytes():
				continue
			default:
			}
		}
		t.remove(client)
		t.slow.Inc()
	}
}

// ServeHTTP is GET /api/notifications.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	client, waiting, ok := t.add()
	if !ok {
		text := fmt.Sprintf("[admin] taps = %d, and as many clients are reading", t.limit)
		status := http.StatusServiceUnavailable
		if t.limit == 0 {
			text, status = "this router shows nobody its notifications: [admin] taps is 0", http.StatusForbidden
		} else {
			t.refused.Inc()
		}
		http.Error(w, text, status)
		return
	}
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(client)
	}()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	if out.SetReadDeadline(time.Time{}) != nil || out.SetWriteDeadline(time.Now().Add(tapPatience)) != nil || out.Flush() != nil {
		return
	}
	for {
		select {
		case line, ok := <-client:
			if !ok {
				return
			}
			waiting.Add(-int64(len(line)))
			if out.SetWriteDeadline(time.Now().Add(tapPatience)) != nil {
				return
			}
			if _, err := w.Write(line); err != nil {
				return
			}
			if len(client) == 0 && out.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (t *Tap) add() (client chan []byte, waiting *atomic.Int64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.clients) >= t.limit {
		return nil, nil, false
	}
	client, waiting = make(chan []byte, tapBuffer), new(atomic.Int64)
	t.clients[client] = waiting
	t.reading.Add(1)
	return client, waiting, true
}

// remove ends a client's stream, once. The caller holds mu.
func (t *Tap) remove(client chan []byte) {
	if _, ok := t.clients[client]; !ok {
		return
	}
	delete(t.clients, client)
	t.reading.Add(-1)
	close(client)
}
