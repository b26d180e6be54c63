package goclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

// patience bounds every wait: far more than anything here takes.
const patience = 15 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv("SERVER") == "" || os.Getenv("CONTROL") == "" {
		fmt.Fprintln(os.Stderr, "run this by `make e2e`: it needs a server at $SERVER and its control at $CONTROL")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// client is an official client whose events can be waited for.
type client struct {
	*centrifuge.Client
	connected    chan centrifuge.ConnectedEvent
	connecting   chan centrifuge.ConnectingEvent
	disconnected chan centrifuge.DisconnectedEvent
}

// open makes a client that is not connected yet, with a token of the user unless
// it asks for one itself.
func open(t *testing.T, user string, config centrifuge.Config) *client {
	t.Helper()
	if config.Token == "" && config.GetToken == nil {
		config.Token = token(t, user, "1h", "")
	}
	config.MinReconnectDelay, config.MaxReconnectDelay = 20*time.Millisecond, 200*time.Millisecond
	c := &client{
		Client:       centrifuge.NewJsonClient("ws://"+os.Getenv("SERVER")+"/realtime/connection/websocket", config),
		connected:    make(chan centrifuge.ConnectedEvent, 64),
		connecting:   make(chan centrifuge.ConnectingEvent, 64),
		disconnected: make(chan centrifuge.DisconnectedEvent, 64),
	}
	c.OnConnected(func(e centrifuge.ConnectedEvent) { c.connected <- e })
	c.OnConnecting(func(e centrifuge.ConnectingEvent) { c.connecting <- e })
	c.OnDisconnected(func(e centrifuge.DisconnectedEvent) { c.disconnected <- e })
	t.Cleanup(c.Close)
	return c
}

// connect connects, and takes the two events of that.
func (c *client) connect(t *testing.T) {
	t.Helper()
	if err := c.Connect(); err != nil {
		t.Fatal(err)
	}
	next(t, c.connecting)
	next(t, c.connected)
}

// subscription is one whose events can be waited for.
type subscription struct {
	*centrifuge.Subscription
	subscribed   chan centrifuge.SubscribedEvent
	unsubscribed chan centrifuge.UnsubscribedEvent
	heard        chan centrifuge.PublicationEvent
}

// on makes a subscription that is not subscribed yet.
func (c *client) on(t *testing.T, channel string, config ...centrifuge.SubscriptionConfig) *subscription {
	t.Helper()
	sub, err := c.NewSubscription(channel, config...)
	if err != nil {
		t.Fatal(err)
	}
	s := &subscription{
		Subscription: sub,
		subscribed:   make(chan centrifuge.SubscribedEvent, 64),
		unsubscribed: make(chan centrifuge.UnsubscribedEvent, 64),
		heard:        make(chan centrifuge.PublicationEvent, 64),
	}
	s.OnSubscribed(func(e centrifuge.SubscribedEvent) { s.subscribed <- e })
	s.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) { s.unsubscribed <- e })
	s.OnPublication(func(e centrifuge.PublicationEvent) { s.heard <- e })
	return s
}

func (s *subscription) subscribe(t *testing.T) {
	t.Helper()
	if err := s.Subscribe(); err != nil {
		t.Fatal(err)
	}
}

// hears waits for publications with these data, and no others between.
func (s *subscription) hears(t *testing.T, want ...string) (got []centrifuge.PublicationEvent) {
	t.Helper()
	for _, data := range want {
		e := next(t, s.heard)
		if string(e.Data) != data {
			t.Fatalf("%s: heard %s, not %s", s.Channel, e.Data, data)
		}
		got = append(got, e)
	}
	return got
}

// next waits for an event.
func next[E any](t *testing.T, events chan E) (e E) {
	t.Helper()
	select {
	case e = <-events:
	case <-time.After(patience):
		t.Fatalf("no %T within %s", e, patience)
	}
	return e
}

func TestSubscribeHearUnsubscribe(t *testing.T) {
	c := open(t, "hears", centrifuge.Config{})
	exact, all := c.on(t, "project/hears/instances"), c.on(t, "project/hears/*")
	exact.subscribe(t)
	all.subscribe(t)
	c.connect(t)
	if e := next(t, exact.subscribed); !e.Recoverable || !e.Positioned || e.WasRecovering {
		t.Errorf("subscribed: %+v", e)
	}
	next(t, all.subscribed)
	publish(t, "project/hears/instances", `{"id":"a","name":"snow ☃"}`)
	publish(t, "project/another/instances", `{"id":"not for us"}`)
	publish(t, "project/hears/volumes", `{"id":"b"}`)
	exact.hears(t, `{"id":"a","name":"snow ☃"}`)
	both := all.hears(t, `{"id":"a","name":"snow ☃"}`, `{"id":"b"}`)
	tags := []string{both[0].Tags["channel"], both[1].Tags["channel"]}
	if want := []string{"project/hears/instances", "project/hears/volumes"}; !slices.Equal(tags, want) {
		t.Errorf("the wildcard's tags are %q", tags)
	}
	if both[0].Offset == 0 || both[1].Offset <= both[0].Offset {
		t.Errorf("offsets %d, %d", both[0].Offset, both[1].Offset)
	}
	if err := exact.Unsubscribe(); err != nil {
		t.Fatal(err)
	}
	next(t, exact.unsubscribed)
	publish(t, "project/hears/instances", `{"id":"c"}`)
	all.hears(t, `{"id":"c"}`)
	exact.subscribe(t)
	next(t, exact.subscribed)
	publish(t, "project/hears/instances", `{"id":"d"}`)
	all.hears(t, `{"id":"d"}`)
	// Having been away on purpose, the client recovers too.
	for e := next(t, exact.heard); string(e.Data) != `{"id":"d"}`; e = next(t, exact.heard) {
		if string(e.Data) != `{"id":"c"}` {
			t.Fatalf("heard %s", e.Data)
		}
	}
	if err := c.Disconnect(); err != nil {
		t.Fatal(err)
	}
	next(t, c.disconnected)
}

func TestRefusals(t *testing.T) {
	c := open(t, "refused", centrifuge.Config{})
	c.connect(t)
	for channel, code := range map[string]uint32{
		"project/another/instances":            103,
		"project/another/*":                    103,
		"user/another/things":                  103,
		"admin/hypervisors":                    103,
		"project/refused/../another/instances": 102,
		"PROJECT/refused/instances":            102,
		"*":                                    102,
	} {
		s := c.on(t, channel)
		s.subscribe(t)
		if e := next(t, s.unsubscribed); e.Code != code {
			t.Errorf("%s: %d %s, not %d", channel, e.Code, e.Reason, code)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	calls := map[string]func() error{
		"rpc":           func() error { _, err := c.RPC(ctx, "x", []byte(`{}`)); return err },
		"publish":       func() error { _, err := c.Publish(ctx, "project/refused/a", []byte(`{}`)); return err },
		"history":       func() error { _, err := c.History(ctx, "public/p"); return err },
		"presence":      func() error { _, err := c.Presence(ctx, "public/p"); return err },
		"presenceStats": func() error { _, err := c.PresenceStats(ctx, "public/p"); return err },
	}
	for name, call := range calls {
		var refusal *centrifuge.Error
		if err := call(); !errors.As(err, &refusal) || refusal.Code != 108 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.State() != centrifuge.StateConnected {
		t.Errorf("is %s", c.State())
	}
}

func TestRecoversAfterCuts(t *testing.T) {
	c := open(t, "cut", centrifuge.Config{})
	sub, wild := c.on(t, "user/cut/things"), c.on(t, "user/cut/*")
	sub.subscribe(t)
	wild.subscribe(t)
	c.connect(t)
	next(t, sub.subscribed)
	next(t, wild.subscribed)
	for round := range 3 {
		var want []string
		for n := range 3 {
			want = append(want, fmt.Sprintf(`{"round":%d,"n":%d}`, round, n))
		}
		publish(t, "user/cut/things", want[0])
		sub.hears(t, want[0])
		wild.hears(t, want[0])
		control(t, "POST", "/cut", "user=cut", "")
		publish(t, "user/cut/things", want[1])
		publish(t, "user/cut/things", want[2])
		for _, s := range []*subscription{sub, wild} {
			if e := next(t, s.subscribed); !e.WasRecovering || !e.Recovered {
				t.Fatalf("%s: %+v", s.Channel, e)
			}
			s.hears(t, want[1:]...)
		}
		next(t, c.connecting)
		next(t, c.connected)
	}
	if len(sub.heard)+len(wild.heard) > 0 {
		t.Error("something was heard twice")
	}
}

func TestRefreshes(t *testing.T) {
	asked := make(chan struct{}, 64)
	c := open(t, "refresh", centrifuge.Config{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
		asked <- struct{}{}
		return token(t, "refresh", "4s", ""), nil
	}})
	c.connect(t)
	for range 3 {
		next(t, asked)
	}
	if len(c.connecting) > 0 || c.State() != centrifuge.StateConnected {
		t.Errorf("was dropped, and is %s", c.State())
	}
}

func TestLosesChannelsOfANarrowerToken(t *testing.T) {
	tokens := make(chan string, 2)
	tokens <- token(t, "narrow", "3s", "")
	tokens <- token(t, "narrow", "1h", "project/narrow/volumes")
	c := open(t, "narrow", centrifuge.Config{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) { return <-tokens, nil }})
	lost, kept := c.on(t, "project/narrow/*"), c.on(t, "project/narrow/volumes")
	lost.subscribe(t)
	kept.subscribe(t)
	c.connect(t)
	if e := next(t, lost.unsubscribed); e.Code != 2000 {
		t.Errorf("unsubscribed with %d", e.Code)
	}
	publish(t, "project/narrow/volumes", `1`)
	kept.hears(t, `1`)
}

func TestExpiredTokens(t *testing.T) {
	old := token(t, "expired", "-1s", "")
	c := open(t, "expired", centrifuge.Config{Token: old, GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
		return token(t, "expired", "1h", ""), nil
	}})
	c.connect(t)

	tokens := make(chan string, 2)
	tokens <- token(t, "late", "2s", "")
	late := open(t, "late", centrifuge.Config{GetToken: func(centrifuge.ConnectionTokenEvent) (string, error) {
		select {
		case token := <-tokens:
			return token, nil
		case <-t.Context().Done():
			return "", t.Context().Err()
		}
	}})
	late.connect(t)
	if e := next(t, late.connecting); e.Code != 3005 {
		t.Errorf("sent away with %d %s", e.Code, e.Reason)
	}
	tokens <- token(t, "late", "1h", "")
	tokens <- token(t, "late", "1h", "")
	next(t, late.connected)
}

func TestDisconnectCodes(t *testing.T) {
	c := open(t, "codes", centrifuge.Config{})
	s := c.on(t, "user/codes/things")
	s.subscribe(t)
	c.connect(t)
	next(t, s.subscribed)
	for _, code := range []uint32{3001, 3004, 3005, 3008, 3009, 3012, 3013} {
		control(t, "POST", "/disconnect", fmt.Sprintf("user=codes&code=%d", code), "")
		if e := next(t, c.connecting); e.Code != code || e.Reason != "by the test" {
			t.Errorf("%d: %+v", code, e)
		}
		next(t, c.connected)
		if e := next(t, s.subscribed); !e.Recovered {
			t.Errorf("%d: subscribed with %+v", code, e)
		}
	}
	for _, code := range []uint32{3500, 3501, 3502, 3503, 3504, 3507} {
		control(t, "POST", "/disconnect", fmt.Sprintf("user=codes&code=%d", code), "")
		if e := next(t, c.disconnected); e.Code != code || e.Reason != "by the test" {
			t.Errorf("%d: %+v", code, e)
		}
		c.connect(t)
		next(t, s.subscribed)
	}
	stranger := open(t, "stranger", centrifuge.Config{Token: "a.b.c"})
	if err := stranger.Connect(); err != nil {
		t.Fatal(err)
	}
	if e := next(t, stranger.disconnected); e.Code != 3500 {
		t.Errorf("a stranger: %+v", e)
	}
}

func TestAnswersPings(t *testing.T) {
	c := open(t, "pings", centrifuge.Config{})
	c.connect(t)
	seen := map[string]bool{}
	for end := time.Now().Add(patience); len(seen) < 4; time.Sleep(20 * time.Millisecond) {
		seen[control(t, "GET", "/pongs", "", "")] = true
		if time.Now().After(end) {
			t.Fatalf("only %d pongs", len(seen)-1)
		}
	}
	if len(c.connecting) > 0 || c.State() != centrifuge.StateConnected {
		t.Errorf("was dropped, and is %s", c.State())
	}
}

func TestRecoversFromAPosition(t *testing.T) {
	var at struct {
		Epoch  string
		Offset uint64
	}
	if err := json.Unmarshal([]byte(control(t, "GET", "/position", "", "")), &at); err != nil {
		t.Fatal(err)
	}
	publish(t, "user/since/things", `1`)
	c := open(t, "since", centrifuge.Config{})
	c.connect(t)
	s := c.on(t, "user/since/things", centrifuge.SubscriptionConfig{
		GetState: func(centrifuge.SubscriptionGetStateEvent) (centrifuge.StreamPosition, error) {
			return centrifuge.StreamPosition{Epoch: at.Epoch, Offset: at.Offset}, nil
		},
	})
	s.subscribe(t)
	if e := next(t, s.subscribed); !e.WasRecovering || !e.Recovered {
		t.Errorf("subscribed: %+v", e)
	}
	s.hears(t, `1`)
}
