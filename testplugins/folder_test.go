package testplugins

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/plugin"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/testwait"
)

// TestMisbehavingFolders has a healthy plugin run beside files that are none, or
// pretend to be others. Nothing hangs, each is refused with a reason, and the healthy
// one answers.
func TestMisbehavingFolders(t *testing.T) {
	own := label.Label{Name: "neighbour", Version: "2"}
	module := label.Put(mustBuild(t, "neighbour"), own)
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signature := ed25519.Sign(private, own.Signed(module))
	other := label.Put(mustBuild(t, "neighbour"), label.Label{Name: "bad", Version: "2"})
	signed := func(path string) error {
		return first(os.WriteFile(path, module, 0o600), os.WriteFile(path+".sig", signature, 0o600))
	}
	for name, c := range map[string]struct {
		bad    string // the file that is to be refused
		make   func(path string) error
		reason string
	}{
		"a pipe": {"10-bad.wasm", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "regular file"},
		"a pipe as signature": {"10-bad.wasm", func(path string) error {
			return first(os.WriteFile(path, other, 0o600), syscall.Mkfifo(path+".sig", 0o600))
		}, "regular file"},
		"a folder": {"10-bad.wasm", func(path string) error { return os.Mkdir(path, 0o700) }, "regular file"},
		"a folder as signature": {"10-bad.wasm", func(path string) error {
			return first(os.WriteFile(path, other, 0o600), os.Mkdir(path+".sig", 0o700))
		}, "regular file"},
		"a link to itself":   {"10-bad.wasm", func(path string) error { return os.Symlink(path, path) }, ""},
		"a link to a device": {"10-bad.wasm", func(path string) error { return os.Symlink("/dev/zero", path) }, "regular file"},
		"an empty file":      {"10-bad.wasm", func(path string) error { return os.WriteFile(path, nil, 0o600) }, ""},
		"somebody's signature": {"10-bad.wasm", func(path string) error {
			return first(os.WriteFile(path, []byte("another module"), 0o600), os.WriteFile(path+".sig", signature, 0o600))
		}, "signature"},
		"another's name":       {"10-other.wasm", signed, "under another name"},
		"a running one's name": {"60-neighbour.wasm", signed, ""},
		"a module without label": {"10-bad.wasm", func(path string) error {
			plain := mustBuild(t, "neighbour")
			return first(os.WriteFile(path, plain, 0o600), os.WriteFile(path+".sig", ed25519.Sign(private, plain), 0o600))
		}, "no name and version"},
		"a long signature": {"10-bad.wasm", func(path string) error {
			return first(os.WriteFile(path, other, 0o600), os.WriteFile(path+".sig", make([]byte, 1<<20), 0o600))
		}, "signature"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plugin.DefaultConfig()
			cfg.Dir, cfg.CacheDir = t.TempDir(), "none"
			cfg.RequireSignature, cfg.PublicKeys = true, []string{base64.StdEncoding.EncodeToString(public)}
			good := filepath.Join(cfg.Dir, "50-neighbour.wasm")
			if err := first(os.WriteFile(good, module, 0o600), os.WriteFile(good+".sig", signature, 0o600), c.make(filepath.Join(cfg.Dir, c.bad))); err != nil {
				t.Fatal(err)
			}
			h, err := plugin.New(cfg, nil, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(h.Close)
			loaded := make(chan error, 1)
			go func() { loaded <- h.Load(context.Background()) }()
			if err := testwait.Receive(t, "the end of loading", loaded); err != nil {
				t.Fatal(err)
			}
			for _, s := range h.Status() {
				switch {
				case s.File == c.bad && (s.State != plugin.Refused || !strings.Contains(s.Reason, c.reason)):
					t.Errorf("%s is %s: %s", s.File, s.State, s.Reason)
				case s.File != c.bad && s.State != plugin.Running:
					t.Errorf("%s is %s: %s", s.File, s.State, s.Reason)
				}
			}
			w := h.NewRunner()
			t.Cleanup(w.Close)
			n := notification(t)
			n.SetTime(time.Now())
			answers := 0
			w.Handle(context.Background(), n, func(plugin.Emission) { answers++ })
			if answers != 1 {
				t.Errorf("the neighbour answers %d times", answers)
			}
		})
	}
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
