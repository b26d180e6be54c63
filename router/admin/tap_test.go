package admin

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/event"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/testwait"
)

// noticed is a notification with a line break and a secret in it.
func noticed(t *testing.T) *event.Notification {
	t.Helper()
	n := new(event.Notification)
	body := "{\"event_type\": \"x.y\", \"message_id\": \"m1\", \"publisher_id\": \"x.h\", \"priority\": \"INFO\",\n \"timestamp\": \"2026-11-23 10:00:00\", \"payload\": {\"adminPass\": \"hunter2\", \"n\": 1}}"
	if err := oslo.NewDecoder(oslo.DefaultConfig()).Decode(n, []byte(body), ""); err != nil {
		t.Fatal(err)
	}
	return n
}

func newTap(t *testing.T, limit int) (*Tap, *httptest.Server) {
	t.Helper()
	tap := NewTap(Config{Taps: limit}, prometheus.NewRegistry())
	server := httptest.NewServer(tap)
	t.Cleanup(server.Close)
	return tap, server
}

// read opens a tap. The answer's header comes once it is open.
func read(t *testing.T, url string) *http.Response {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func said(t *testing.T, answer *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

func TestTapShowsWhatPluginsGet(t *testing.T) {
	tap, server := newTap(t, 2)
	one, two := read(t, server.URL), read(t, server.URL)
	tap.Offer(noticed(t))
	tap.Offer(noticed(t))
	for _, answer := range []*http.Response{one, two} {
		lines := bufio.NewScanner(answer.Body)
		for range 2 {
			if !lines.Scan() {
				t.Fatal(lines.Err())
			}
			if line := lines.Text(); !strings.HasPrefix(line, `{"event_type":"x.y"`) || !strings.Contains(line, `"n":1}}`) || strings.Contains(line, "hunter2") {
				t.Error(line)
			}
		}
	}
	one.Body.Close()
	two.Body.Close()
	testwait.Until(t, "the taps of clients that are gone are closed", func() bool { return tap.reading.Load() == 0 })
}

func TestTapIsBounded(t *testing.T) {
	_, closed := newTap(t, 0)
	if answer := read(t, closed.URL); answer.StatusCode != http.StatusForbidden {
		t.Error(answer.Status)
	} else if text := said(t, answer); text != "this router shows nobody its notifications: [admin] taps is 0" {
		t.Error(text)
	}
	tap, server := newTap(t, 1)
	first := read(t, server.URL)
	if answer := read(t, server.URL); answer.StatusCode != http.StatusServiceUnavailable {
		t.Error(answer.Status)
	} else if text := said(t, answer); text != "[admin] taps = 1, and as many clients are reading" {
		t.Error(text)
	}
	if n := testutil.ToFloat64(tap.refused); n != 1 {
		t.Errorf("%v refused", n)
	}
	first.Body.Close()
	testwait.Until(t, "the place is given back", func() bool { return tap.reading.Load() == 0 })
	if answer := read(t, server.URL); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}

// TestTapCutsOffWhoDoesNotKeepUp offers far more than the buffer and the sockets
// between hold to a client that does not read, which holds nobody up.
func TestTapCutsOffWhoDoesNotKeepUp(t *testing.T) {
	tap, server := newTap(t, 1)
	answer := read(t, server.URL)
	n := noticed(t)
	testwait.Until(t, "it is cut off", func() bool {
		for range 1000 {
			tap.Offer(n)
		}
		return tap.reading.Load() == 0
	})
	if n := testutil.ToFloat64(tap.slow); n != 1 {
		t.Errorf("%v cut off", n)
	}
	// What was on its way comes, and then the end.
	if text := said(t, answer); !strings.HasSuffix(text, "}") {
		t.Errorf("the last line ends in %q", text[max(0, len(text)-20):])
	}
}

func TestTapCostsNothingWhenNobodyReads(t *testing.T) {
	tap := NewTap(Config{Taps: 1}, prometheus.NewRegistry())
	n := noticed(t)
	if allocations := testing.AllocsPerRun(100, func() { tap.Offer(n) }); allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}
