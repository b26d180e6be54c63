package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/plugin/guest"
	"horizon-realtime/sdk/abi"
)

const (
	// maxSelfTests bounds how many self-tests a plugin may ship, maxSelfTestSent
	// how many notifications each of them sends, maxSelfTestBytes their text.
	maxSelfTests     = 64
	maxSelfTestSent  = 64
	maxSelfTestBytes = 1 << 20
	// All of them together may take selfTestStarts times as long as a start.
	selfTestStarts = 10
)

// selfTest is a golden case that a plugin ships, as package sdktest has it: a
// notification and what the plugin makes of it.
type selfTest struct {
	About string `json:"about"`
	// Plugin is whose case it is, if the module is a bundle; empty for all.
	Plugin string `json:"plugin"`
	// Config replaces the operator's.
	Config json.RawMessage `json:"config"`
	// Project and User own the resource, as package oslo would find.
	Project string `json:"project"`
	User    string `json:"user"`
	// Before is sent first, to the same instance.
	Before       []json.RawMessage `json:"before"`
	Notification json.RawMessage   `json:"notification"`
	Emissions    []struct {
		Channel string          `json:"channel"`
		Key     string          `json:"key"`
		Removed bool            `json:"removed"`
		Payload json.RawMessage `json:"payload"`
	} `json:"emissions"`
	Stop bool `json:"stop"`
}

// selfTests runs those that the module ships, each on an instance of its own with
// a store of its own, so that they leave nothing behind.
//
// # Errors
//
// The first that does not come out as it says, or that they cannot be read.
func selfTests(ctx context.Context, cfg Config, v *version) error {
	text := v.code.selfTests
	if text == nil {
		return nil
	}
	tests, err := readSelfTests(text)
	if err != nil {
		return fmt.Errorf("its self-tests, in the custom section %q, cannot be read: %w; build it again", abi.SelfTests, err)
	}
	ctx, cancel := context.WithTimeout(ctx, selfTestStarts*v.limits.StartTimeout)
	defer cancel()
	for i := range tests {
		if tests[i].Plugin != "" && tests[i].Plugin != v.Name {
			continue
		}
		if err := tests[i].run(ctx, cfg, v); err != nil {
			return fmt.Errorf("it fails its own self-test %d, %.100q: %w; mend the plugin or the test", i+1, tests[i].About, err)
		}
	}
	return nil
}

func readSelfTests(text []byte) (tests []selfTest, err error) {
	if len(text) > maxSelfTestBytes {
		return nil, fmt.Errorf("they have %d bytes, over the limit of %d", len(text), maxSelfTestBytes)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&tests); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("something follows them")
	}
	if len(tests) > maxSelfTests {
		return nil, fmt.Errorf("there are %d, over the limit of %d", len(tests), maxSelfTests)
	}
	for i := range tests {
		if n := len(tests[i].Before); n >= maxSelfTestSent {
			return nil, fmt.Errorf("%d messages before the notification of number %d, over the limit of %d", n, i+1, maxSelfTestSent-1)
		}
	}
	return tests, nil
}

func (t *selfTest) run(ctx context.Context, cfg Config, v *version) error {
	apart := newRecord(cfg, slog.New(slog.DiscardHandler))
	env := guest.Env{Name: v.Name, Config: []byte("{}"), Store: apart.store, Log: apart.log, Number: v.env.Number, Limits: &v.limits}
	if len(t.Config) > 0 {
		env.Config = t.Config
	}
	in, err := v.code.Start(&env)
	if err != nil {
		return err
	}
	defer in.Close()
	in.SetTimeout(v.limits.StartTimeout)
	for i, text := range t.Before {
		if err := t.send(ctx, in, text); err != nil {
			return fmt.Errorf("message %d before it: %w", i+1, err)
		}
	}
	if err := t.send(ctx, in, t.Notification); err != nil {
		return err
	}
	return t.compare(in.Result())
}

// send hands a notification to the guest, whose answer is in its Result.
func (t *selfTest) send(ctx context.Context, in *guest.Instance, text []byte) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the tests together take more than %d times [plugins] start_timeout", selfTestStarts)
	}
	n, err := t.notification(text)
	if err != nil {
		return err
	}
	if !in.Subscription().Matches(n.Type) {
		return fmt.Errorf("it has not asked for %q", n.Type)
	}
	in.Separate(n.Project)
	if fault := in.Handle(n); fault != nil {
		return fault
	}
	return nil
}

// notification is the message without its envelope.
func (t *selfTest) notification(text []byte) (*event.Notification, error) {
	n := new(event.Notification)
	if err := n.Load(bytes.Clone(text)); err != nil {
		return nil, fmt.Errorf("read the notification: %w", err)
	}
	member := func(name string) string { return n.Root().Member(name).Text() }
	n.Type, n.Publisher, n.Priority = member("event_type"), member("publisher_id"), strings.ToLower(member("priority"))
	n.MessageID, n.RequestID = member("message_id"), member("_context_request_id")
	n.Project, n.User = t.Project, t.User
	at, sent := time.Unix(0, 0), member("timestamp")
	if sent != "" {
		var err error
		if at, err = time.Parse("2006-01-02T15:04:05Z07:00", strings.Replace(sent, " ", "T", 1)); err != nil {
			at, err = time.Parse("2006-01-02T15:04:05", strings.Replace(sent, " ", "T", 1))
		}
		if err != nil {
			return nil, fmt.Errorf("read the notification's timestamp: %w", err)
		}
	}
	n.SetTime(at)
	return n, nil
}

func (t *selfTest) compare(r *guest.Result) error {
	for i := range max(len(r.Emissions), len(t.Emissions)) {
		got, want := "nothing", "nothing"
		if i < len(r.Emissions) {
			e := &r.Emissions[i]
			got = describe(string(e.Channel), string(e.Key), e.Payload, e.Removed)
		}
		if i < len(t.Emissions) {
			e := &t.Emissions[i]
			want = describe(e.Channel, e.Key, e.Payload, e.Removed)
		}
		if got != want {
			return fmt.Errorf("emission %d is %.300s and should be %.300s", i+1, got, want)
		}
	}
	if r.Stop != t.Stop {
		return fmt.Errorf("whether it stops is %t and should be %t", r.Stop, t.Stop)
	}
	return nil
}

// describe is an emission on one line, in one spelling.
func describe(channel, key string, payload []byte, removed bool) string {
	var compact bytes.Buffer
	if json.Compact(&compact, payload) != nil {
		return fmt.Sprintf("%s %s %q", channel, key, payload)
	}
	gone := ""
	if removed {
		gone = " removed"
	}
	return fmt.Sprintf("%s %s%s %s", channel, key, gone, compact.Bytes())
}
