package plugin

import (
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/sdk/abi"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A store waits for its plugin's file to come back, but not for ever.
func TestStoreOutlivesItsFileForAWhile(t *testing.T) {
	c := testConfig(t)
	c.KVKeep = 10 * time.Minute
	now := guesttest.At
	h := newTestHost(t, c, nil, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	h.now = func() time.Time { return now }
	w := folderWatch{host: h, settle: time.NewTimer(time.Hour)}
	remembered := func() string {
		value := lookup(h.records.of("a").store, "k")
		return value
	}
	add := func() { h.install(t, "10-a.wasm", guesttest.Silent("on volume.*\n")) }
	remove := func() {
		t.Helper()
		if err := os.Remove(filepath.Join(c.Dir, "10-a.wasm")); err != nil {
			t.Fatal(err)
		}
		reload(t, h)
	}
	add()
	h.records.of("a").store.Set(guest.Owner{Project: guesttest.Project}, []byte("k"), []byte("v"), 0, abi.KVAnyVersion, guesttest.At)

	now = now.Add(time.Hour)
	w.rescan(t.Context())
	remove()
	now = now.Add(c.KVKeep - 1)
	w.rescan(t.Context())
	add()
	if got := remembered(); got != "v" {
		t.Errorf("after a short absence the store has %q", got)
	}

	now = now.Add(time.Hour)
	remove()
	now = now.Add(c.KVKeep - 1)
	w.rescan(t.Context())
	if h.records.byName["a"] == nil {
		t.Error("the second absence was counted from the first")
	}
	now = now.Add(1)
	w.rescan(t.Context())
	if h.records.byName["a"] != nil {
		t.Error("after a long absence the store is still there")
	}
	add()
	if got := remembered(); got != "" {
		t.Errorf("after a long absence the store has %q", got)
	}
}

// Of more records than there may be plugins, those of the longest gone go.
func TestRecordsAreBounded(t *testing.T) {
	c := testConfig(t)
	c.MaxPlugins = 2
	now := guesttest.At
	h := newTestHost(t, c, nil, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	h.now = func() time.Time { now = now.Add(time.Millisecond); return now }
	for _, name := range []string{"b", "a", "c"} {
		h.install(t, name+".wasm", guesttest.Silent("on volume.*\n"))
		if err := os.Remove(filepath.Join(c.Dir, name+".wasm")); err != nil {
			t.Fatal(err)
		}
		reload(t, h)
	}
	if len(h.records.byName) != 2 || h.records.byName["a"] == nil || h.records.byName["c"] == nil {
		t.Errorf("got %v", h.records.byName)
	}
}

// A file that is there and refused, as one beyond max_plugins is, keeps its store
// no longer than one that is gone.
func TestRefusedFilesKeepNoRecord(t *testing.T) {
	c := testConfig(t)
	c.MaxPlugins, c.KVKeep = 2, 10*time.Minute
	now := guesttest.At
	h := newTestHost(t, c, nil, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	h.now = func() time.Time { return now }
	for _, name := range []string{"20-a", "30-b", "10-c"} {
		h.install(t, name+".wasm", guesttest.Silent("on volume.*\n"))
	}
	if s := h.Status()[2]; s.File != "30-b.wasm" || s.State != Refused {
		t.Fatalf("got %+v", s)
	}
	now = now.Add(c.KVKeep)
	reload(t, h)
	if h.records.byName["a"] == nil || h.records.byName["b"] != nil || h.records.byName["c"] == nil {
		t.Errorf("got %v", h.records.byName)
	}
}
