package hub

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// saved is the position at which a hub has stopped, and the configuration with the file
// that it has left. Of each channel the history has the last 3 of 5.
func saved(t *testing.T) (cfg Config, epoch string, top uint64) {
	t.Helper()
	cfg = DefaultConfig()
	cfg.HistoryFile = filepath.Join(t.TempDir(), "history")
	cfg.HistorySize, cfg.Shards = 3, 2
	h := newHub(cfg)
	for i := range 5 {
		for _, name := range []string{"project/p/a", "project/p/b", "user/u/a"} {
			p := publication(t, name, fmt.Sprint(i))
			p.Project = "p"
			if err := h.Publish(p); err != nil {
				t.Fatal(err)
			}
			for _, s := range h.shards {
				s.drain()
			}
		}
	}
	epoch, top = h.Position()
	if err := h.Save(); err != nil {
		t.Fatal(err)
	}
	return cfg, epoch, top
}

func (h *Hub) askNow(t *testing.T, channel, project, epoch string, since uint64) (recovered bool, publications string) {
	t.Helper()
	e := newEar()
	h.Subscribe(&Subscription{Channel: pattern(t, channel), Project: project, To: e, Recover: true, Epoch: epoch, Offset: since}, 1)
	for _, s := range h.shards {
		s.drain()
	}
	return e.answers[0].Recovered, string(e.answers[0].Publications)
}

// TestHandover: the next hub recovers what this one would have, whatever its number of
// shards, and goes on.
func TestHandover(t *testing.T) {
	for _, shards := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(shards), func(t *testing.T) {
			cfg, epoch, top := saved(t)
			if info, err := os.Stat(cfg.HistoryFile); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("%v, %v", info.Mode(), err)
			}
			cfg.Shards = shards
			h := newHub(cfg)
			if _, err := os.Stat(cfg.HistoryFile); !os.IsNotExist(err) {
				t.Error("the file is still there")
			}
			// Offsets are 1 to 15, in turn of a, b and user/u/a; the history has the last 3 of each.
			for _, c := range []struct {
				channel, project string
				since            uint64
				want             string // empty: it is not recovered
			}{
				{"project/p/a", "p", 13, "."}, {"project/p/a", "p", 10, `{"data":4,"offset":13}`}, {"project/p/a", "p", 3, ""},
				{"project/p/a", "p", 4, `{"data":2,"offset":7},{"data":3,"offset":10},{"data":4,"offset":13}`},
				{"user/u/a", "p", 12, `{"data":4,"offset":15}`}, {"user/u/a", "q", 12, "."}, {"user/u/a", "p", 5, ""},
				{"project/p/*", "p", 12, `{"data":4,"offset":13,"tags":{"channel":"project/p/a"}},{"data":4,"offset":14,"tags":{"channel":"project/p/b"}}`},
				{"project/p/*", "p", 4, ""}, {"project/p/never", "p", 1, "."},
			} {
				recovered, got := h.askNow(t, c.channel, c.project, epoch, c.since)
				if got == "" && recovered {
					got = "."
				}
				if got != c.want {
					t.Errorf("%s since %d: %t, %s", c.channel, c.since, recovered, got)
				}
			}
			if now, at := h.Position(); now != epoch || at < top {
				t.Errorf("at %s %d, after %s %d", now, at, epoch, top)
			}
			h.Publish(publication(t, "project/p/a", "5"))
			if recovered, got := h.askNow(t, "project/p/a", "p", epoch, top); !recovered || got != fmt.Sprintf(`{"data":5,"offset":%d}`, top+1) {
				t.Errorf("%t, %s", recovered, got)
			}
		})
	}
}

// TestHandoverRefused: a file that may be wrong begins a new epoch.
func TestHandoverRefused(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, cfg *Config){
		"none":      func(t *testing.T, cfg *Config) { os.Remove(cfg.HistoryFile) },
		"empty":     func(t *testing.T, cfg *Config) { os.Truncate(cfg.HistoryFile, 0) },
		"cut off":   func(t *testing.T, cfg *Config) { os.Truncate(cfg.HistoryFile, 700) },
		"readable":  func(t *testing.T, cfg *Config) { os.Chmod(cfg.HistoryFile, 0o640) },
		"too large": func(t *testing.T, cfg *Config) { cfg.HistoryBytes = 100 },
		"a link": func(t *testing.T, cfg *Config) {
			os.Rename(cfg.HistoryFile, cfg.HistoryFile+".real")
			os.Symlink(cfg.HistoryFile+".real", cfg.HistoryFile)
		},
		"too old": func(t *testing.T, cfg *Config) { cfg.HistoryTTL = 0 },
		"off":     func(t *testing.T, cfg *Config) { cfg.HistoryFile = "" },
	} {
		t.Run(name, func(t *testing.T) {
			cfg, epoch, _ := saved(t)
			spoil(t, &cfg)
			h := newHub(cfg)
			if recovered, _ := h.askNow(t, "project/p/a", "p", epoch, 13); recovered {
				t.Error("recovered")
			}
			if now, at := h.Position(); now == epoch || at > 1_000_000 {
				t.Errorf("goes on at %s %d", now, at)
			}
			for _, s := range h.shards {
				if s.entries.len > 0 || s.forgotten > 0 {
					t.Error("kept something of the file")
				}
			}
		})
	}
}

// TestHandoverBackwards: offsets rise though the clock was set back, and what was kept ages
// as if the router had run on.
func TestHandoverBackwards(t *testing.T) {
	l := newLocal(nil)
	at := time.Now()
	l.goOn(handover{Epoch: "e", Began: at.Add(time.Hour), Top: 1000}, at)
	if got := l.Draw(); got <= 1000 || got > 1_000_000 {
		t.Errorf("%d", got)
	}
	l.goOn(handover{Epoch: "e", Began: at.Add(-time.Second), Top: 1000}, at)
	if got := l.Draw(); got < 1_000_000 {
		t.Errorf("%d", got)
	}
}
