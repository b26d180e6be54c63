package admin

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"horizon-realtime/router/testwait"
)

const (
	actorToken  = "acts-0123456789abcdef"
	readerToken = "reads-0123456789abcdef"
)

// tokenFile writes a token to a file, as an editor does it, with a line's end.
func tokenFile(t *testing.T, word string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(word+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// listen starts a server that a check keeps from being ready.
func listen(t *testing.T, cfg Config) (s *Server, url string) {
	t.Helper()
	s = newServer(t, cfg)
	serve(t, s)
	return s, "http://" + s.Addr().String()
}

func newServer(t *testing.T, cfg Config) *Server {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	plugins := Plugins{Status: func() any { return []string{"sizes"} }, Release: func(string) error { return nil }}
	s, err := New(cfg, prometheus.NewRegistry(), plugins, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Handle("GET "+tapPath, NewTap(cfg, prometheus.NewRegistry()))
	s.Require(Check{"source", func() error { return errors.New("mq1.example.org refuses the password") }})
	return s
}

func serve(t *testing.T, s *Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func ask(t *testing.T, method, url string, header ...string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			request.Host = header[i+1]
			continue
		}
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode, said(t, answer)
}

func TestRights(t *testing.T) {
	none, reads, acts := "", "Bearer "+readerToken, "Bearer "+actorToken
	both := Config{TokenFile: tokenFile(t, actorToken), ReadTokenFile: tokenFile(t, readerToken)}
	_, url := listen(t, both)
	for _, tc := range []struct {
		method, path string
		none, read   int // what answers no token, and the one that reads
		act          int
	}{
		{"GET", "/healthz", 200, 200, 200},
		{"GET", "/readyz", 503, 503, 503},
		{"GET", "/healthcheck", 503, 503, 503},
		{"GET", "/metrics", 401, 200, 200},
		{"HEAD", "/metrics", 401, 200, 200},
		{"GET", "/console/", 401, 200, 200},
		{"GET", "/", 401, 302, 302},
		{"GET", "/api/plugins", 401, 200, 200},
		{"POST", "/api/plugins/sizes/release", 401, 403, 204},
		{"GET", tapPath, 401, 403, 403}, // taps = 0
		{"GET", "/debug/pprof/", 401, 403, 200},
		{"GET", "/debug/pprof/cmdline", 401, 403, 200},
		{"GET", "//debug/pprof/cmdline", 401, 307, 307}, // to the path above
		{"GET", "/nothing", 401, 404, 404},
		{"POST", "/healthz", 405, 405, 405},
	} {
		for credentials, want := range map[string]int{
			none: tc.none, reads: tc.read, acts: tc.act, "Bearer wrong-0123456789abcdef": tc.none, "Bearer ": tc.none, actorToken: tc.none,
		} {
			if got, text := ask(t, tc.method, url+tc.path, "Authorization", credentials); got != want {
				t.Errorf("%s %s with %q: %d %s, want %d", tc.method, tc.path, credentials, got, text, want)
			}
		}
	}
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
	request.SetBasicAuth("anybody", readerToken)
	if answer, err := http.DefaultClient.Do(request); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("the token as a browser's password: %v, %v", answer.Status, err)
	} else {
		answer.Body.Close()
	}
	if _, text := ask(t, "GET", url+"/readyz"); text != "not ready" {
		t.Errorf("without a token, /readyz says %q", text)
	}
	if _, text := ask(t, "GET", url+"/readyz", "Authorization", reads); !strings.Contains(text, "refuses the password") {
		t.Errorf("with a token, /readyz says %q", text)
	}
}

func TestOnlyAReadTokenLetsNobodyAct(t *testing.T) {
	s, url := listen(t, Config{ReadTokenFile: tokenFile(t, readerToken)})
	status, text := ask(t, "POST", url+"/api/plugins/sizes/release", "Authorization", "Bearer "+readerToken)
	if status != http.StatusForbidden || !strings.Contains(text, "token_file, which is not set") {
		t.Errorf("%d %s", status, text)
	}
	if n := testutil.ToFloat64(s.guard.refused.WithLabelValues("right")); n != 1 {
		t.Errorf("%v counted", n)
	}
}

func TestTokenIsReadAgain(t *testing.T) {
	path := tokenFile(t, actorToken)
	_, url := listen(t, Config{TokenFile: path})
	const next = "the-next-token-of-them-all"
	for _, step := range []struct{ text, opens, refused string }{
		{next, next, actorToken},
		{"short", next, "short"}, // unusable: the one before stays
	} {
		if err := os.WriteFile(path, []byte(step.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, _ := ask(t, "GET", url+"/metrics", "Authorization", "Bearer "+step.opens); status != http.StatusOK {
			t.Errorf("file %q: %q gets %d", step.text, step.opens, status)
		}
		if status, _ := ask(t, "GET", url+"/metrics", "Authorization", "Bearer "+step.refused); status != http.StatusUnauthorized {
			t.Errorf("file %q: %q gets %d", step.text, step.refused, status)
		}
	}
}

// What another site's page makes an operator's browser send, with or without a token.
func TestOtherSitesAreRefused(t *testing.T) {
	_, open := listen(t, Config{})
	_, closed := listen(t, Config{TokenFile: tokenFile(t, actorToken)})
	for _, tc := range []struct {
		what, method, path string
		header             []string
		want               int
	}{
		{"an image that is a profile", "GET", "/debug/pprof/cmdline", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"a page on another port", "GET", "/api/plugins", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"a script's read", "GET", "/metrics", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a probe of the health", "GET", "/healthz", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form", "POST", "/api/plugins/sizes/release", []string{"Origin", "https://evil.example.org"}, 403},
		{"a link to a profile", "GET", "/debug/pprof/cmdline", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"a frame", "GET", "/console/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"another name for the address", "GET", "/metrics", []string{"Host", "evil.example.org"}, 403},
		{"that name, and a port", "GET", "/healthz", []string{"Host", "evil.example.org:9090"}, 403},
		{"a link to the console", "GET", "/console/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"the console's own read", "GET", "/api/plugins", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"an address that was typed", "GET", "/metrics", []string{"Sec-Fetch-Site", "none"}, 200},
		{"IPv6", "GET", "/metrics", []string{"Host", "[::1]:9090"}, 200},
		{"IPv6 without a port", "GET", "/metrics", []string{"Host", "[::1]"}, 200},
		{"localhost", "GET", "/metrics", []string{"Host", "localhost:9090"}, 200},
	} {
		for _, url := range []string{open, closed} {
			if got, text := ask(t, tc.method, url+tc.path, append(tc.header, "Authorization", "Bearer "+actorToken)...); got != tc.want {
				t.Errorf("%s: %d %s, want %d", tc.what, got, text, tc.want)
			}
		}
	}
}

// A request that is never finished does not stay.
func TestUnfinishedRequestsEnd(t *testing.T) {
	s := newServer(t, Config{})
	s.requestTime = 50 * time.Millisecond
	serve(t, s)
	for _, text := range []string{
		"POST /api/plugins/sizes/release HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: loc",
	} {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		closed := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, conn)
			closed <- err
		}()
		testwait.Receive(t, "the connection is closed", closed)
	}
}

// Profiles and taps last longer than a request may take to arrive.
func TestLongAnswersOutlastTheLimit(t *testing.T) {
	cfg := Config{Taps: 1}
	s := newServer(t, cfg)
	s.requestTime = 50 * time.Millisecond
	tap := NewTap(cfg, prometheus.NewRegistry())
	s.Handle("GET /tap", tap)
	serve(t, s)
	url := "http://" + s.Addr().String()
	tapped := read(t, url+"/tap")
	if status, _ := ask(t, "GET", url+"/debug/pprof/trace?seconds=0.2"); status != http.StatusOK {
		t.Errorf("a trace of 200 ms: %d", status)
	}
	tap.Offer(noticed(t))
	if line, err := bufio.NewReader(tapped.Body).ReadString('\n'); err != nil {
		t.Errorf("the tap ended: %q, %v", line, err)
	}
}

func TestValidate(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		want string // "" for valid
	}{
		{DefaultConfig(), ""},
		{Config{Listen: "localhost:9090"}, ""},
		{Config{Listen: "[::1]:9090"}, ""},
		{Config{Listen: "127.3.2.1:9090"}, ""},
		{Config{Listen: "0.0.0.0:9090"}, "set token_file"},
		{Config{Listen: ":9090"}, "set token_file"},
		{Config{Listen: "[::]:9090"}, "set token_file"},
		{Config{Listen: "192.0.2.1:9090"}, "set token_file"},
		{Config{Listen: "router.example.org:9090"}, "set token_file"},
		{Config{Listen: ":9090", TokenFile: "t"}, ""},
		{Config{Listen: ":9090", ReadTokenFile: "t"}, ""},
		{Config{Listen: ":9090", Insecure: true}, ""},
		{Config{Listen: "9090"}, "host:port is wanted"},
		{Config{Listen: "127.0.0.1:9090", Taps: -1}, "[admin] taps"},
	} {
		err := tc.cfg.Validate()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q", tc.cfg, err, tc.want)
		}
	}
}

func TestUnusableTokens(t *testing.T) {
	dir := t.TempDir()
	for name, tc := range map[string]struct{ path, want string }{
		"missing":   {filepath.Join(dir, "none"), "no such file"},
		"a folder":  {dir, "no regular file"},
		"short":     {tokenFile(t, "0123456789abcde"), "it has 15 bytes"},
		"empty":     {tokenFile(t, ""), "it has 0 bytes"},
		"long":      {tokenFile(t, strings.Repeat("x", maxTokenBytes+1)), "bytes, of 16 to 4096"},
		"two words": {tokenFile(t, actorToken+"\n"+readerToken), "more than one word"},
	} {
		_, err := New(Config{Listen: "127.0.0.1:0", TokenFile: tc.path}, prometheus.NewRegistry(), Plugins{}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "[admin] token_file") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
