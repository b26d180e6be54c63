package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"horizon-realtime/router/testwait"
)

// bus takes what a cloud publishes.
type bus struct {
	mu   sync.Mutex
	sent []sent
}

type sent struct {
	Exchange   string `json:"exchange"`
	RoutingKey string `json:"routing_key"`
	Body       string `json:"body"`
}

func (b *bus) publish(exchange, key string, body []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent = append(b.sent, sent{exchange, key, string(body)})
	return nil
}

func (b *bus) all() []sent {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.sent)
}

// inner opens the envelope and returns the members of the notification.
func (s sent) inner(t *testing.T) map[string]any {
	t.Helper()
	var envelope struct {
		Version string `json:"oslo.version"`
		Message string `json:"oslo.message"`
	}
	if err := json.Unmarshal([]byte(s.Body), &envelope); err != nil || envelope.Version != "2.0" {
		t.Fatalf("envelope %.80s: version %q, %v", s.Body, envelope.Version, err)
	}
	var n map[string]any
	if err := json.Unmarshal([]byte(envelope.Message), &n); err != nil {
		t.Fatalf("inner object: %v", err)
	}
	return n
}

// startCloud runs a quiet cloud until the test ends.
func startCloud(t *testing.T, publish Publish, opts Options) *Cloud {
	t.Helper()
	if opts.Life == 0 {
		opts.Life = -1
	}
	c := NewCloud(publish, opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

// live takes a server through launch, suspend, resume and delete. Its caller's
// time is a bubble's (testing/synctest), in which a server boots at once and stays
// as it is between two calls.
func live(t *testing.T, c *Cloud) {
	t.Helper()
	ctx := t.Context()
	id, err := c.Launch(ctx, "alpha", "ünï-☃-🚀", "m1.small", "debian-13")
	if err != nil {
		t.Fatal(err)
	}
	reaches := func(status string) {
		t.Helper()
		testwait.Until(t, status, func() bool {
			c.mu.RLock()
			defer c.mu.RUnlock()
			s := c.servers[id]
			return s == nil && status == "gone" || s != nil && s.idle() && s.apiStatus() == status
		})
	}
	reaches("ACTIVE")
	if err := c.Suspend(ctx, "alpha", id); err != nil {
		t.Fatal(err)
	}
	reaches("SUSPENDED")
	if err := c.Resume(ctx, "alpha", id); err != nil {
		t.Fatal(err)
	}
	reaches("ACTIVE")
	if err := c.Delete(ctx, "alpha", id); err != nil {
		t.Fatal(err)
	}
	reaches("gone")
	// A step's notifications are published after its states have changed, and
	// before the next step: one more step, and all of them are out.
	if err := c.call(ctx, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestNotificationsLookLikeNovas compares every notification of a server's life
// with one of the same type that a real nova sent, member by member.
func TestNotificationsLookLikeNovas(t *testing.T) {
	recorded := map[string]sent{}
	file, err := os.Open("testdata/zed-nova.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s sent
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		recorded[s.inner(t)["event_type"].(string)] = s
	}

	b := &bus{}
	synctest.Test(t, func(t *testing.T) { live(t, startCloud(t, b.publish, Options{Format: Both})) })
	compared := map[string]bool{}
	for _, got := range b.all() {
		n := got.inner(t)
		event := n["event_type"].(string)
		want, ok := recorded[event]
		if !ok {
			continue
		}
		if got.Exchange != want.Exchange || got.RoutingKey != want.RoutingKey {
			t.Errorf("%s: published to %s %s, nova to %s %s", event, got.Exchange, got.RoutingKey, want.Exchange, want.RoutingKey)
		}
		shape, wantShape := map[string]string{}, map[string]string{}
		describe(shape, "", n)
		describe(wantShape, "", want.inner(t))
		for path, kind := range shape {
			if kind == "null" || wantShape[path] == "null" { // what may be null was not in both
				shape[path] = wantShape[path]
			}
		}
		if diff := cmp.Diff(wantShape, shape); diff != "" {
			t.Errorf("%s differs from what nova sends (-nova +demo):\n%s", event, diff)
		}
		compared[event] = true
	}
	if len(compared) != len(recorded) {
		t.Errorf("compared %d event types of %d: %v", len(compared), len(recorded), compared)
	}
}

// describe notes the kind of each member under its path. Free-form objects and
// the members of lists are not looked into.
func describe(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		into[path] = "object"
		if strings.HasSuffix(path, "/metadata") || strings.HasSuffix(path, "/image_meta") {
			return
		}
		for key, member := range v {
			describe(into, path+"/"+key, member)
		}
	case nil:
		into[path] = "null"
	default:
		into[path] = fmt.Sprintf("%T", v)
	}
}

func TestBodiesAreASCII(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		live(t, startCloud(t, b.publish, Options{Format: Both}))
		for _, s := range b.all() {
			if i := bytes.IndexFunc([]byte(s.Body), func(r rune) bool { return r > 126 || r < 32 }); i >= 0 {
				t.Fatalf("byte %d of %.200s", i, s.Body[i:])
			}
			n := s.inner(t)
			if payload := n["payload"].(map[string]any); payload["display_name"] != nil && payload["display_name"] != "ünï-☃-🚀" {
				t.Fatalf("name came out as %q", payload["display_name"])
			}
		}
	})
}

func TestFormats(t *testing.T) {
	for _, test := range []struct {
		format              Format
		legacy, versionedOK bool
	}{{Unversioned, true, false}, {Versioned, false, true}, {Both, true, true}} {
		t.Run(string(test.format), func(t *testing.T) {
			b := &bus{}
			synctest.Test(t, func(t *testing.T) { live(t, startCloud(t, b.publish, Options{Format: test.format})) })
			var legacy, versioned int
			for _, s := range b.all() {
				if strings.HasPrefix(s.RoutingKey, "versioned_") {
					versioned++
				} else {
					legacy++
				}
			}
			if (legacy > 0) != test.legacy || (versioned > 0) != test.versionedOK {
				t.Errorf("%d unversioned and %d versioned", legacy, versioned)
			}
		})
	}
}

// TestTimesRise: what happened later carries a later timestamp, which is what a
// panel's ordering guard relies on.
func TestTimesRise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		live(t, startCloud(t, b.publish, Options{}))
		last, types := "", []string{}
		for _, s := range b.all() {
			n := s.inner(t)
			types = append(types, n["event_type"].(string))
			if at := n["timestamp"].(string); at <= last {
				t.Errorf("%s at %s after %s", n["event_type"], at, last)
			} else {
				last = at
			}
		}
		want := []string{
			"instance.update", "instance.update", "instance.create.start", "instance.update", "instance.update",
			"instance.update", "instance.update", "instance.update", "instance.create.end",
			"instance.update", "instance.suspend.start", "instance.update", "instance.suspend.end",
			"instance.update", "instance.resume.start", "instance.update", "instance.resume.end",
			"instance.update", "instance.delete.start", "instance.shutdown.start", "instance.shutdown.end",
			"instance.update", "instance.delete.end",
		}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("a server's life (-nova +demo):\n%s", diff)
		}
	})
}

func TestActionsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		c := startCloud(t, b.publish, Options{MaxServers: 4})
		ctx := t.Context()
		beta := c.of(&Projects[1])[0].id
		for _, test := range []struct {
			name string
			do   func() error
			want error
		}{
			{"unknown project", func() error { _, err := c.Launch(ctx, "gamma", "", "", ""); return err }, ErrNotFound},
			{"unknown flavor", func() error { _, err := c.Launch(ctx, "alpha", "", "m9.huge", ""); return err }, ErrNotFound},
			{"unknown image", func() error { _, err := c.Launch(ctx, "alpha", "", "", "plan9"); return err }, ErrNotFound},
			{"long name", func() error { _, err := c.Launch(ctx, "alpha", strings.Repeat("é", 256), "", ""); return err }, ErrConflict},
			{"another project's server", func() error { return c.Suspend(ctx, "alpha", beta) }, ErrNotFound},
			{"another project's server", func() error { return c.Delete(ctx, "alpha", beta) }, ErrNotFound},
			{"not suspended", func() error { return c.Resume(ctx, "beta", beta) }, ErrConflict},
			{"busy", func() error {
				return errors.Join(c.Suspend(ctx, "beta", beta), c.Suspend(ctx, "beta", beta))
			}, ErrConflict},
			{"quota", func() error {
				_, first := c.Launch(ctx, "alpha", "", "", "")
				_, second := c.Launch(ctx, "alpha", "", "", "")
				return errors.Join(first, second)
			}, ErrQuota},
			{"deleted twice", func() error {
				return errors.Join(c.Delete(ctx, "beta", beta), c.Delete(ctx, "beta", beta))
			}, ErrConflict},
		} {
			if err := test.do(); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.name, err, test.want)
			}
		}
	})
}

func TestLifeStaysBoundedAndAwayFromVisitors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bus{}
		c := startCloud(t, b.publish, Options{Life: 6 * time.Second})
		id, err := c.Launch(t.Context(), "beta", "mine", "", "")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute) // of the bubble's time
		synctest.Wait()
		if n := len(b.all()); n < 100 {
			t.Errorf("only %d notifications in ten minutes", n)
		}
		c.mu.RLock()
		defer c.mu.RUnlock()
		for i := range Projects {
			if n := len(c.of(&Projects[i])); n > c.opts.MaxServers {
				t.Errorf("project %s has %d servers", Projects[i].Name, n)
			}
		}
		if s := c.servers[id]; s == nil || s.vmState != "active" {
			t.Errorf("the visitor's server: %+v", s)
		}
		if len(c.plan) > len(c.servers) {
			t.Errorf("%d scripts are kept for %d servers", len(c.plan), len(c.servers))
		}
	})
}

func TestActionsEndWithTheCloud(t *testing.T) {
	c := NewCloud(func(string, string, []byte) error { return nil }, Options{Life: -1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Launch(t.Context(), "alpha", "", "", ""); !errors.Is(err, ErrStopped) {
		t.Errorf("launch in a stopped cloud: %v", err)
	}
}

// TestPublishFailureIsSurvived: a notification that cannot be published is
// lost, and nothing else.
func TestPublishFailureIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		lost := errors.New("no broker")
		live(t, startCloud(t, func(string, string, []byte) error { return lost }, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}))
		if !strings.Contains(log.String(), lost.Error()) {
			t.Errorf("the log says nothing of it: %s", log.String())
		}
	})
}
