package clienttest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
)

// Hub is a hub that runs until the test ends, after everything that the test started
// later.
type Hub struct {
	*hub.Hub
	Log      *slog.Logger
	Registry *prometheus.Registry
}

// StartHub makes a hub and runs it.
func StartHub(t testing.TB, cfg hub.Config) *Hub {
	t.Helper()
	h := &Hub{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()}
	h.Hub = hub.New(cfg, h.Log, h.Registry)
	Run(t, "hub", h.Hub.Run)
	return h
}

// Run has a part run until the test ends, when all that was started later has ended.
func Run(t testing.TB, name string, part func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := part(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

// Say publishes.
func (h *Hub) Say(t testing.TB, channel, data string) {
	t.Helper()
	ch, err := event.ParseChannel(channel)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Publish(hub.Publication{Channel: ch, Data: []byte(data), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
}

// Epoch is the hub's.
func (h *Hub) Epoch() string { epoch, _ := h.Position(); return epoch }
