//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"horizon-realtime/cmd/horizon-realtime/demo"
	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

// alpha and beta are the projects of the demo's page.
var alpha, beta = demo.Projects[0], demo.Projects[1]

// TestLifeReachesTheClient publishes a server's life with oslo.messaging, in each
// format, and follows it on the official client.
func TestLifeReachesTheClient(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	for i, c := range []struct {
		name    string
		formats []string
	}{
		{"legacy", []string{"legacy"}},
		{"versioned", []string{"versioned"}},
		{"both", []string{"legacy", "versioned"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			mine := connect(t, r, token(t, alpha.User.ID, alpha.ID), "project/"+alpha.ID+"/instances", "project/"+alpha.ID+"/*")
			other := connect(t, r, token(t, beta.User.ID, beta.ID), "project/"+beta.ID+"/*")
			o := order{Formats: c.formats, Instance: fmt.Sprintf("11111111-2222-3333-4444-%012d", i),
				Project: alpha.ID, User: alpha.User.ID, Name: "web \"é\" ☃ " + c.name}
			for _, step := range []struct{ step, action, status string }{
				{"create", "update", "ACTIVE"}, {"suspend", "update", "SUSPENDED"},
				{"resume", "update", "ACTIVE"}, {"delete", "delete", "DELETED"},
			} {
				o.Step = step.step
				nova.t = t
				nova.publish(o)
				seen := map[string]bool{}
				for len(seen) < 2 {
					e := mine.expect("publication")
					m := e.Data
					if m.Kind != "server" && m.ProjectID == alpha.ID && strings.HasSuffix(e.Channel, "/*") {
						continue // another plugin's word on the same project
					}
					if m.ID != o.Instance || m.ProjectID != alpha.ID || m.V != 1 || m.Kind != "server" {
						t.Fatalf("%s: the client got %+v", step.step, e)
					}
					if strings.HasSuffix(e.Channel, "/*") && e.Tags["channel"] != "project/"+alpha.ID+"/instances" {
						t.Fatalf("a wildcard's publication does not say its channel: %+v", e)
					}
					if m.Name == o.Name && (m.Action == step.action || step.action == "update" && m.Action == "create") &&
						m.Status == step.status && (m.Task == nil || *m.Task == "") {
						seen[e.Channel] = true
					}
				}
			}
			// Whatever beta was to hear of it, it has heard by the time that a
			// notification of its own arrives.
			nova.publish(order{Step: "create", Formats: c.formats, Instance: "99999999-2222-3333-4444-000000000000",
				Project: beta.ID, User: beta.User.ID, Name: "theirs"})
			if e := other.expect("publication"); e.Data.ProjectID != beta.ID {
				t.Fatalf("beta's client heard of alpha: %+v", e)
			}
		})
	}
	if outcomes, _ := r.outcomes(); outcomes["denied"]+outcomes["malformed"]+outcomes["faulted"] > 0 {
		t.Errorf("some notifications ended badly: %v", outcomes)
	}
}

// prime has nova publish something of no interest, which makes the exchange, and
// waits until the router is bound to it. RabbitMQ drops what is published before.
func prime(t *testing.T, nova *publisher, r *routerProcess, broker *rabbittest.Node) {
	t.Helper()
	nova.publish(order{Step: "resume", Formats: []string{"versioned"}, Instance: "cccccccc-0000-0000-0000-000000000000",
		Project: "0123456789abcdef0123456789abcdef", User: "0123456789abcdef0123456789abcdef", Name: "elsewhere"})
	testwait.Succeeds(t, "bound to nova", func() error {
		if left := r.metric(`horizon_realtime_amqp_missing_exchanges{broker="` + broker.Addr() + `/"}`); left != 4 {
			return fmt.Errorf("%v exchanges are missing", left)
		}
		return nil
	})
}

// TestLifeReachesThePage shows the same on the demo's page in Chromium, with
// RabbitMQ and `run` in the place of the simulated cloud, through a proxy as in
// front of Horizon.
func TestLifeReachesThePage(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	nova := startPublisher(t, broker.URL())
	prime(t, nova, r, broker)
	page := servePage(t, r)

	browser := start(t, "node", "page.mjs", page.URL+"/project/instances")
	if line := browser.line(); line != "live" {
		t.Fatalf("the page said %q\n%s", line, browser.log())
	}
	for i, formats := range [][]string{{"legacy"}, {"versioned"}} {
		o := order{Formats: formats, Instance: fmt.Sprintf("aaaaaaaa-2222-3333-4444-%012d", i),
			Project: alpha.ID, User: alpha.User.ID, Name: "from-the-bus-" + formats[0]}
		for _, step := range []struct{ step, status string }{
			{"create", "Active"}, {"suspend", "Suspended"}, {"resume", "Active"}, {"delete", "gone"},
		} {
			o.Step = step.step
			nova.publish(o)
			browser.say("expect %s %s", o.Name, step.status)
			if line := browser.line(); line != "ok" {
				t.Fatalf("after %s in %s format, the page: %s", step.step, formats[0], line)
			}
		}
	}
	browser.say("untouched")
	if line := browser.line(); line != "ok" {
		t.Fatalf("the other project's table: %s", line)
	}
}

// servePage serves the demo's page with the router's endpoints behind a proxy on
// the same origin. Its cloud stands still: what moves comes from the bus.
func servePage(t *testing.T, r *routerProcess) *httptest.Server {
	t.Helper()
	cloud := demo.NewCloud(func(_, _ string, _ []byte) error { return nil }, demo.Options{Life: -1})
	mux := http.NewServeMux()
	mux.Handle("/", demo.Handler(cloud, demo.Deps{
		Mint: demo.NewMint([]byte(secret), time.Minute), Prefix: "/realtime",
		Position: func() (string, uint64) { return "", 0 },
	}))
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: r.server})
	proxy.FlushInterval = -1
	mux.Handle("/realtime/", proxy)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}
