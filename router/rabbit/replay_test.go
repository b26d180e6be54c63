package rabbit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
)

// recording is real notifications, one of each exchange.
func recording(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/recording.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// listener binds a queue to every exchange of the recording, and makes them.
func listener(t *testing.T, exchanges []string) (*broker, string) {
	t.Helper()
	b := dial(t, node.URL())
	q, err := b.QueueDeclare("", false, false, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range exchanges {
		b.exchange(name, false)
		if err := b.QueueBind(q.Name, "#", name, false, nil); err != nil {
			t.Fatal(err)
		}
	}
	return b, q.Name
}

var recordedExchanges = []string{"nova", "neutron", "keystone", "openstack", "glance"}

// A replayed notification is on the wire what the service's was.
func TestReplay(t *testing.T) {
	testConfig(t)
	text := recording(t)
	for name, cfg := range map[string]rabbit.ReplayConfig{
		"as fast as possible": {},
		"at a rate":           {Rate: 1000},
		"in recorded time":    {Speed: 1e6},
	} {
		t.Run(name, func(t *testing.T) {
			b, queue := listener(t, recordedExchanges)
			cfg.URL = node.URL()
			var last rabbit.ReplayReport
			report, err := rabbit.Replay(t.Context(), cfg, bytes.NewReader(text), func(r rabbit.ReplayReport) { last = r })
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			if report.Published != len(lines) || report.Confirmed != len(lines) || last.Confirmed != len(lines) || report.Exchanges["nova"] != 2 {
				t.Fatalf("report %+v", report)
			}
			for _, line := range lines {
				m := b.get(queue)
				var want rabbit.Recorded
				if err := json.Unmarshal([]byte(line), &want); err != nil {
					t.Fatal(err)
				}
				got := rabbit.Recorded{Received: want.Received, Exchange: m.Exchange, RoutingKey: m.RoutingKey, Headers: m.Headers, Body: string(m.Body),
					Properties: rabbit.Properties{ContentType: m.ContentType, ContentEncoding: m.ContentEncoding, DeliveryMode: m.DeliveryMode, Priority: m.Priority}}
				if len(got.Headers) == 0 {
					got.Headers = want.Headers
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatal(diff)
				}
			}
			for _, name := range recordedExchanges {
				deleteExchange(name)
			}
		})
	}
}

func TestReplayKeepsPropertiesAndHeaders(t *testing.T) {
	testConfig(t)
	b, queue := listener(t, []string{"nova"})
	line := `{"exchange":"nova","routing_key":"notifications.info","body":"\u0000\u2603","unknown":1,
		"properties":{"message_id":"m","timestamp":1795445476,"app_id":"a","type":"t","correlation_id":"c","reply_to":"r","expiration":"60000","user_id":"nova"},
		"headers":{"compression":"application/x-gzip","n":3,"f":0.5,"yes":true,"none":null,"list":[1,"x"],"table":{"k":"v"}}}`
	if _, err := rabbit.Replay(t.Context(), rabbit.ReplayConfig{URL: node.URL()}, strings.NewReader(strings.ReplaceAll(line, "\n", "")), nil); err != nil {
		t.Fatal(err)
	}
	m := b.get(queue)
	want := amqp.Table{"compression": "application/x-gzip", "n": int64(3), "f": 0.5, "yes": true, "none": nil,
		"list": []any{int64(1), "x"}, "table": amqp.Table{"k": "v"}}
	if diff := cmp.Diff(want, m.Headers); diff != "" {
		t.Fatal(diff)
	}
	if m.MessageId != "m" || m.Timestamp.Unix() != 1795445476 || m.AppId != "a" || m.Type != "t" || m.CorrelationId != "c" ||
		m.ReplyTo != "r" || m.Expiration != "60000" || m.UserId != "" || string(m.Body) != "\x00☃" {
		t.Fatalf("message %+v", m)
	}
}

func TestReplayManyPipelined(t *testing.T) {
	testConfig(t)
	b, queue := listener(t, []string{"nova"})
	const n = 3000
	text := strings.Repeat(`{"exchange":"nova","routing_key":"notifications.info","body":"{}"}`+"\n", n)
	report, err := rabbit.Replay(t.Context(), rabbit.ReplayConfig{URL: node.URL()}, strings.NewReader(text), nil)
	if err != nil || report.Confirmed != n {
		t.Fatalf("report %+v, error %v", report, err)
	}
	q, err := b.QueueDeclarePassive(queue, false, false, true, false, nil)
	if err != nil || q.Messages != n {
		t.Fatalf("%d messages, error %v", q.Messages, err)
	}
}

func TestReplayDeclaresOnlyWhenAsked(t *testing.T) {
	name := testConfig(t).Exchanges[0]
	t.Cleanup(func() { deleteExchange(name) })
	line := `{"exchange":"` + name + `","routing_key":"notifications.info","body":"{}"}`
	cfg := rabbit.ReplayConfig{URL: node.URL()}
	_, err := rabbit.Replay(t.Context(), cfg, strings.NewReader("\n"+line), nil)
	if err == nil || err.Error() != "replay: line 2: exchange "+name+" does not exist; start its service, or have it declared (--declare)" {
		t.Fatalf("error %v", err)
	}
	cfg.Declare = true
	if _, err := rabbit.Replay(t.Context(), cfg, strings.NewReader(line), nil); err != nil {
		t.Fatal(err)
	}
	dial(t, node.URL()).exchange(name, false) // 406 if it had other flags
}

func TestReplayRefuses(t *testing.T) {
	testConfig(t)
	good := `{"exchange":"amq.topic","routing_key":"notifications.info","body":"{}"}` + "\n"
	for text, want := range map[string]string{
		good + "{":                           "line 2: read a recorded notification: unexpected end",
		good + good + `{"body":"{}"}`:        `line 3: read a recorded notification: no "exchange"`,
		`{"exchange":"x","body":"{}"}`:       `line 1: read a recorded notification: no "routing_key"`,
		`{"exchange":"x","routing_key":"y"}`: `line 1: read a recorded notification: no "body"`,
		`{"exchange":"x","routing_key":"` + strings.Repeat("y", 256) + `","body":"{}"}`:        `line 1: read a recorded notification: "routing_key" has 256 bytes`,
		`{"exchange":"amq.fanout","routing_key":"y","body":"{}","properties":{"priority":-1}}`: "line 1: read a recorded notification: json",
	} {
		report, err := rabbit.Replay(t.Context(), rabbit.ReplayConfig{URL: node.URL()}, strings.NewReader(text), nil)
		if err == nil || !strings.Contains(err.Error(), want) || report.Published != strings.Count(text, good) {
			t.Errorf("%.60q: error %v, want %s; %d published", text, err, want, report.Published)
		}
	}
	for _, cfg := range []rabbit.ReplayConfig{
		{URL: node.URL(), Rate: -1}, {URL: node.URL(), Rate: 1, Speed: 1}, {URL: "amqp://u:secret@127.0.0.1:1/"}, {URL: "secret"},
	} {
		if _, err := rabbit.Replay(t.Context(), cfg, strings.NewReader(good), nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v", err)
		}
	}
}

// The end of the context ends a wait for the next notification's time.
func TestReplayStops(t *testing.T) {
	testConfig(t)
	ctx, cancel := context.WithCancel(t.Context())
	line := `{"exchange":"amq.topic","routing_key":"notifications.info","body":"{}","received":`
	text := line + "1}\n" + line + "1000}\n"
	report, err := rabbit.Replay(ctx, rabbit.ReplayConfig{URL: node.URL(), Speed: 1}, strings.NewReader(text), func(r rabbit.ReplayReport) {
		if r.Published == 1 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || report.Published != 1 || report.Elapsed > time.Minute {
		t.Fatalf("report %+v, error %v", report, err)
	}
}

// FuzzParseRecorded: what is accepted can be published as it is.
func FuzzParseRecorded(f *testing.F) {
	for _, line := range bytes.Split(recording(f), []byte("\n")) {
		f.Add(line)
	}
	f.Add([]byte(`{"exchange":"x","routing_key":"y","body":"z","headers":{"a":[{"b":1e400}]}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := rabbit.ParseRecorded(line)
		if err != nil {
			return
		}
		if r.Exchange == "" || r.RoutingKey == "" || r.Body == "" || len(r.Exchange) > 255 || len(r.RoutingKey) > 255 {
			t.Fatalf("accepted %+v", r)
		}
	})
}
