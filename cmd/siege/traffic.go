package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/rabbit"
)

// recording is what the services of a real OpenStack sent while it was used.
const recording = "cmd/horizon-realtime/e2e/testdata/recorded.jsonl.gz"

// projects own the servers that the traffic is about. Each has a listener.
const projects = 8

func project(i int) string { return fmt.Sprintf("51e9e0000000400080000000000000%02x", i) }

// traffic is recorded notifications at a steady rate, each about another server.
type traffic struct {
	rate      int // per second
	templates []template
	ledger    *ledger
}

// template is a recorded notification and what is replaced in it.
type template struct {
	body                   []byte
	server, owner, message [][2]int
}

// newTraffic reads the recording under the source tree's root.
//
// # Errors
//
// The recording cannot be read.
func newTraffic(root string, rate int, l *ledger) (*traffic, error) {
	t := &traffic{rate: rate, ledger: l}
	packed, err := os.Open(filepath.Join(root, recording))
	if err != nil {
		return nil, fmt.Errorf("read the recorded notifications: %w; run this in the source tree, or give its -root", err)
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", recording, err)
	}
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	decoder, n := oslo.NewDecoder(oslo.DefaultConfig()), new(event.Notification)
	for lines.Scan() {
		r, err := rabbit.ParseRecorded(lines.Bytes())
		if err != nil {
			return nil, err
		}
		if r.Exchange != "nova" {
			continue
		}
		if err := decoder.Decode(n, []byte(r.Body), ""); err != nil {
			return nil, fmt.Errorf("decode a recorded notification: %w", err)
		}
		if hasMessage(n.Type) && n.Project != "" && len(n.Resource) == len(serialID(0)) {
			t.templates = append(t.templates, newTemplate(r.Body, n))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", recording, err)
	}
	if len(t.templates) == 0 {
		return nil, fmt.Errorf("%s has no update of a server", recording)
	}
	return t, nil
}

// hasMessage reports whether the stock plugin always makes a message of such a
// notification.
func hasMessage(eventType string) bool {
	name, ok := strings.CutPrefix(eventType, "compute.instance.")
	return ok && !strings.HasPrefix(name, "live_migration") && (name == "update" || strings.HasSuffix(name, ".end"))
}

func newTemplate(body string, n *event.Notification) template {
	t := template{body: []byte(body)}
	t.server = t.find(n.Resource)
	t.owner = t.find(n.Project)
	t.message = t.find(n.MessageID)
	return t
}

func (t *template) find(text string) (at [][2]int) {
	for from := 0; text != ""; {
		i := bytes.Index(t.body[from:], []byte(text))
		if i < 0 {
			break
		}
		at = append(at, [2]int{from + i, from + i + len(text)})
		from += i + len(text)
	}
	return at
}

// write makes the notification of a serial.
func (t *template) write(serial uint64) []byte {
	body := bytes.Clone(t.body)
	id, owner := serialID(serial), project(int(serial%projects))
	for text, places := range map[string][][2]int{id: append(t.server, t.message...), owner: t.owner} {
		for _, place := range places {
			copy(body[place[0]:place[1]], text)
		}
	}
	return body
}

// run publishes until ctx is done.
//
// # Errors
//
// Something cannot be sent.
func (t *traffic) run(ctx context.Context, send func(ctx context.Context, body []byte) error) error {
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	interval := time.Second / time.Duration(t.rate)
	whole := context.WithoutCancel(ctx) // what is counted is sent
	for at := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-pace.C:
		}
		for ; time.Since(at) >= 0; at = at.Add(interval) {
			serial := t.ledger.publish(at)
			if err := send(whole, t.templates[serial%uint64(len(t.templates))].write(serial)); err != nil {
				return fmt.Errorf("publish a notification: %w", err)
			}
		}
	}
}
