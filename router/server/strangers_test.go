package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/server/clienttest"
)

// slowKeystone answers in 40 ms. The tokens of user(n) are valid; it counts the
// others, and how many questions there are at the same time.
type slowKeystone struct {
	mu                      sync.Mutex
	strangers, atOnce, most int
}

func user(n int) string     { return fmt.Sprintf("gAAAAABuser%d-%s", n, strings.Repeat("x", 150)) }
func stranger(n int) string { return fmt.Sprintf("gAAAAABnobody%d-%s", n, strings.Repeat("x", 150)) }

func (k *slowKeystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("X-Subject-Token")
	name, known := strings.CutPrefix(token, "gAAAAABuser")
	name, _, _ = strings.Cut(name, "-")
	k.mu.Lock()
	k.atOnce++
	k.most = max(k.most, k.atOnce)
	if !known {
		k.strangers++
	}
	k.mu.Unlock()
	time.Sleep(40 * time.Millisecond)
	k.mu.Lock()
	k.atOnce--
	k.mu.Unlock()
	if !known {
		http.Error(w, "{}", http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"token":{"user":{"id":"user%s","domain":{"id":"d"}},"project":{"id":"p%s","domain":{"id":"d"}},"roles":[],"expires_at":%q}}`,
		name, name, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func (k *slowKeystone) counts() (strangers, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.strangers, k.most
}

func startWithKeystone(t *testing.T, direct bool) (*world, *slowKeystone, auth.Config) {
	k := &slowKeystone{}
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	cfg := auth.DefaultConfig()
	cfg.Keystone.URL, cfg.Keystone.Direct, cfg.Keystone.Timeout = server.URL, direct, time.Minute
	return startWithAuth(t, testConfig(), cfg, nil), k, cfg
}

// TestStrangersAskNothing has strangers come by every way there is while Keystone
// tokens are for tickets only.
func TestStrangersAskNothing(t *testing.T) {
	w, k, _ := startWithKeystone(t, false)
	invalid := ending{"", 3500, "invalid token"}
	for i, transport := range []string{"websocket", "http_stream", "sse"} {
		for _, token := range []string{stranger(i), user(i)} {
			if e := tryToken(t, w, transport, token, ""); e != invalid {
				t.Errorf("%s: %+v", transport, e)
			}
		}
		// Nor does who is in, with a ticket, ask with what they refresh.
		ticket := askTicket(t, w, user(100+i), "")
		refresh := fmt.Sprintf(`{"id":9,"refresh":{"token":%q}}`, stranger(i))
		if transport == "websocket" {
			c := w.connected(t, ticket)
			c.Say(refresh)
			if code := c.Ends(); code != 3500 {
				t.Errorf("%s, refreshed: %d", transport, code)
			}
			continue
		}
		own := &http.Transport{DisableKeepAlives: true}
		c := clienttest.OpenStream(t, &http.Client{Transport: own}, "http://"+w.address(), transport, ticket)
		c.Say(refresh)
		if m := c.Hear(); m.Push == nil || m.Push.Disconnect == nil || m.Push.Disconnect.Code != 3500 {
			t.Errorf("%s, refreshed: %+v", transport, m)
		}
	}
	if strangers, _ := k.counts(); strangers != 0 {
		t.Errorf("%d questions about strangers", strangers)
	}
}

// TestStrangersAndUsers has strangers connect as fast as they can where Keystone
// tokens may, while users get tickets, connect and subscribe.
func TestStrangersAndUsers(t *testing.T) {
	w, k, cfg := startWithKeystone(t, true)
	start := time.Now()
	stop := make(chan struct{})
	var strangers, users sync.WaitGroup
	for i := range 40 {
		strangers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				c := clienttest.DialTCP(t, w.address())
				c.Say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, stranger(i*1_000_000+n)))
				c.Conn.Close() // who floods does not wait for answers
			}
		})
	}
	for i := range 60 {
		users.Go(func() {
			c := w.connected(t, askTicket(t, w, user(i), ""))
			c.Subscribe(fmt.Sprintf("project/p%d/instances", i))
			c.Conn.Close()
		})
	}
	users.Wait()
	close(stop)
	strangers.Wait()
	asked, most := k.counts()
	if limit := 1 + int(20*time.Since(start).Seconds()); asked > limit || most > cfg.Keystone.MaxRequests {
		t.Errorf("%d questions about strangers in %s, at most %d expected; %d at once", asked, time.Since(start), limit, most)
	}
}
