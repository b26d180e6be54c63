//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// TestEveryRecordedNotificationIsAccountedFor replays everything that a real
// OpenStack published while its services were exercised, and compares the counters
// with the number of messages. An administrator listens to all admin channels and
// members to all channels of their projects, to see whether any token gets out.
func TestEveryRecordedNotificationIsAccountedFor(t *testing.T) {
	file, first, projects, total := recorded(t)
	broker := rabbittest.Start(t)
	// The services were there first: a message to an exchange that nobody has
	// bound yet is kept for nobody.
	replay(t, broker, first)
	r := runRouter(t, broker.URL())
	var clients []*node
	for _, p := range projects {
		clients = append(clients, connect(t, r, token(t, "someone", p), "project/"+p+"/*"))
	}
	clients = append(clients, connect(t, r, token(t, "root", "", "admin"), "admin/*", "public/*"))

	out := replay(t, broker, file)
	if !bytes.Contains(out, []byte(fmt.Sprint(total))) {
		t.Errorf("replay does not say that it published %d notifications:\n%s", total, out)
	}
	testwait.Succeeds(t, "every notification has ended", func() error {
		if outcomes, sum := r.outcomes(); sum != float64(total) {
			return fmt.Errorf("%v of %d: %v", sum, total, outcomes)
		}
		return nil
	})
	outcomes, _ := r.outcomes()
	t.Logf("%d notifications: %v", total, outcomes)
	if outcomes["routed"] < 300 || outcomes["malformed"]+outcomes["faulted"]+outcomes["denied"]+outcomes["duplicate"] > 0 {
		t.Errorf("ended as %v", outcomes)
	}
	testwait.Succeeds(t, "everything is acknowledged", func() error {
		left, err := broker.Ctl("list_queues", "--quiet", "--no-table-headers", "name", "messages")
		if err != nil {
			return err
		}
		for line := range strings.Lines(left) {
			if f := strings.Fields(line); strings.HasPrefix(f[0], "horizon-realtime.") && f[len(f)-1] != "0" {
				return fmt.Errorf("queue %s", line)
			}
		}
		return nil
	})

	// What is acknowledged was accepted by the hub, and reached the clients or is
	// about to; a client that quits has printed all it was told before.
	publications := 0
	for _, c := range clients {
		c.say("quit")
		<-c.done
		for line := range c.lines {
			if strings.Contains(line, "lab-token") {
				t.Fatalf("a token got out: %s", line)
			}
			if strings.Contains(line, `"event":"publication"`) {
				publications++
			}
		}
	}
	if publications < 300 {
		t.Errorf("the clients got %d publications", publications)
	}
	t.Logf("%d publications to %d clients", publications, len(clients))
}

// replay publishes a recording with the command of that name.
func replay(t *testing.T, broker *rabbittest.Node, file string) []byte {
	t.Helper()
	out, err := exec.Command(binary, "replay", "--url", broker.URL(), "--declare", file).CombinedOutput()
	if err != nil {
		t.Fatalf("replay: %v\n%s", err, out)
	}
	return out
}

// recorded unpacks the recording, lists the projects in it, and makes a second
// one with the first message of each exchange.
func recorded(t *testing.T) (file, first string, projects []string, total int) {
	t.Helper()
	packed, err := os.Open("testdata/recorded.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "recorded.jsonl")
	plain, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	first = filepath.Join(t.TempDir(), "first.jsonl")
	prime, err := os.Create(first)
	if err != nil {
		t.Fatal(err)
	}
	defer prime.Close()
	seen := map[string]bool{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		total++
		fmt.Fprintf(plain, "%s\n", lines.Bytes())
		var message struct{ Exchange, Body string }
		var envelope struct {
			Message string `json:"oslo.message"`
		}
		var inner struct {
			Payload struct {
				TenantID string `json:"tenant_id"`
			}
		}
		if json.Unmarshal(lines.Bytes(), &message) == nil && json.Unmarshal([]byte(message.Body), &envelope) == nil &&
			json.Unmarshal([]byte(envelope.Message), &inner) == nil && inner.Payload.TenantID != "" && !seen[inner.Payload.TenantID] {
			seen[inner.Payload.TenantID] = true
			projects = append(projects, inner.Payload.TenantID)
		}
		if !seen[message.Exchange] {
			seen[message.Exchange] = true
			fmt.Fprintf(prime, "%s\n", lines.Bytes())
		}
	}
	if err := lines.Err(); err != nil || total != 1729 || len(projects) < 2 {
		t.Fatalf("the recording has %d lines and %d projects: %v", total, len(projects), err)
	}
	return file, first, projects, total
}
