package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"horizon-realtime/router/testwait"
)

// The attacks of people without an account, and of users on each other, against a
// Keystone that answers slowly. Questions and refusals are counted, not timed.

// slowly makes Keystone take as long for an answer as a real one.
func (k *fakeKeystone) slowly() {
	k.set(func() { k.during = func() { time.Sleep(40 * time.Millisecond) } })
}

// enrol makes a token valid and returns it.
func (k *fakeKeystone) enrol(c *clock, user string) string {
	token := fernet(user)
	k.set(func() { k.tokens[token] = subjectJSON(c.now().Add(time.Hour), user, memberOf) })
	return token
}

// backend asks for tickets from one address, through proxies if any are named.
func backend(a *Authenticator, peer string, forwarded ...string) func(token string) int {
	h := a.TicketHandler(func() (string, uint64) { return "e", 0 })
	return func(token string) int {
		r := post("", "X-Auth-Token", token)
		r.RemoteAddr = peer + ":40000"
		for _, address := range forwarded {
			r.Header.Add("X-Forwarded-For", address)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
}

func socket(peer string) *http.Request {
	r := httptest.NewRequest("GET", "/realtime/connection/websocket", nil)
	r.RemoteAddr = peer + ":40000"
	return r
}

// Without [auth.keystone] direct no token on a socket costs a question, by
// whichever way it comes: connecting and refreshing are both Authenticate.
func TestSocketsDoNotAskKeystone(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) { cfg.Keystone.Direct = false })
	claims := goodClaims(c)
	claims["openstack_methods"] = []string{"password"}
	for _, token := range []string{goodToken, fernet("x"), sign(t, "ES256", "p256", claims)} {
		_, err := a.Authenticate(t.Context(), socket("192.0.2.1"), token)
		wantError(t, err, ErrUnauthorized)
	}
	if k.questions() != 0 {
		t.Fatalf("%d questions", k.questions())
	}
	// The same token is good for a ticket, and what the ticket opened is checked.
	if status := backend(a, "192.0.2.1")(goodToken); status != http.StatusOK {
		t.Fatal(status)
	}
}

// What Keystone cannot have made costs no question, even where questions are
// allowed.
func TestOnlyTokensOfKeystonesShapeAreAskedAbout(t *testing.T) {
	a, k, _ := withKeystone(t, nil)
	ask := backend(a, "192.0.2.1")
	long := fernet("")
	for len(long) <= maxKeystoneToken {
		long += long[7:]
	}
	for name, token := range map[string]string{
		"a word": "password", "short": "gAAAAABx", "long": long, "another alphabet": fernet("a+b/"), "other version": "hAAAAAB" + goodToken[7:],
		"time far away": "gAB" + goodToken[3:], "uuid": "0123456789abcdef0123456789abcdef", "a JWT of somebody": "e30.e30." + goodToken,
		"dots": "..................................", "padding inside": fernet("a=b"),
	} {
		t.Run(name, func(t *testing.T) {
			if status := ask(token); status != http.StatusUnauthorized {
				t.Error(status)
			}
			_, err := a.Authenticate(t.Context(), socket("192.0.2.1"), token)
			wantError(t, err, ErrUnauthorized)
		})
	}
	if k.questions() != 0 {
		t.Fatalf("%d questions", k.questions())
	}
}

// Strangers at many addresses, by all ways: Keystone is asked at their pace, and
// neither the backend nor the users behind it notice.
func TestStrangersAreSlowed(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) { cfg.Keystone.Timeout = time.Minute })
	a.keystone.slots.pace.SetLimit(strangersPerSecond)
	k.slowly()
	start := time.Now()
	var strangers, users sync.WaitGroup
	stop := make(chan struct{})
	for i := range 64 {
		address := fmt.Sprintf("198.51.100.%d", i)
		ask := backend(a, address)
		strangers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				token := fernet(fmt.Sprintf("stranger%d-%d-", i, n))
				if i%2 == 0 {
					ask(token)
				} else if _, err := a.Authenticate(t.Context(), socket(address), token); err == nil {
					t.Error("let in")
				}
			}
		})
	}
	ask := backend(a, "192.0.2.1")
	var honest atomic.Int32
	for i := range 200 {
		token := k.enrol(c, fmt.Sprintf("user%d-", i))
		users.Go(func() {
			if status := ask(token); status == http.StatusOK {
				honest.Add(1)
			} else {
				t.Errorf("user %d: %d", i, status)
			}
		})
	}
	users.Wait()
	close(stop)
	a.keystone.stop() // whoever waits need not any more
	strangers.Wait()
	most := 200 + 2 + int(strangersPerSecond*time.Since(start).Seconds())
	if honest.Load() != 200 || k.questions() > most || k.most() > a.cfg.Keystone.MaxRequests {
		t.Fatalf("%d tickets; %d questions, at most %d expected; %d at once", honest.Load(), k.questions(), most, k.most())
	}
}

// A flood from one address keeps others at no address from their turn.
func TestStrangersTakeTurns(t *testing.T) {
	a, k, _ := withKeystone(t, func(cfg *Config) { cfg.Keystone.Timeout = time.Minute })
	var flood sync.WaitGroup
	hold := make(chan struct{})
	k.set(func() { k.during = func() { <-hold } })
	for i := range 500 {
		flood.Go(func() {
			if _, err := a.Authenticate(t.Context(), socket("198.51.100.1"), fernet(fmt.Sprintf("flood%d-", i))); err == nil {
				t.Error("let in")
			}
		})
	}
	// One is asked about, some wait, the others are refused at once.
	testwait.Until(t, "most are refused", func() bool { return a.limited(limitStrangers) >= 500-clientWaiting-1 })
	testwait.Until(t, "the question", func() bool { return k.questions() > 0 })
	if k.most() != 1 {
		t.Errorf("%d questions at once for one address", k.most())
	}
	good := make(chan error, 1)
	go func() {
		_, err := a.Authenticate(t.Context(), socket("198.51.100.2"), goodToken)
		good <- err
	}()
	testwait.Until(t, "the question of the other", func() bool { return k.questions() == 2 })
	close(hold)
	if err := testwait.Receive(t, "the other's answer", good); err != nil {
		t.Error(err)
	}
	flood.Wait()
}

// A question whose caller has given up takes its slot until Keystone has answered;
// and its answer counts.
func TestTimedOutQuestionsCount(t *testing.T) {
	for _, most := range []int{1, 2, 8} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			a, k, c := withKeystone(t, func(cfg *Config) {
				cfg.Keystone.MaxRequests, cfg.Keystone.Timeout = most, 100*time.Millisecond
			})
			hold := make(chan struct{})
			k.set(func() { k.during = func() { <-hold } })
			late := k.enrol(c, "late")
			ask := backend(a, "192.0.2.1")
			if status := ask(late); status != http.StatusServiceUnavailable {
				t.Fatal(status)
			}
			for round := range 2 {
				var wg sync.WaitGroup
				for i := range 20 {
					address := fmt.Sprintf("198.51.100.%d", i)
					wg.Go(func() {
						token := fernet(fmt.Sprintf("t%d-%d-", round, i))
						if _, err := a.Authenticate(t.Context(), socket(address), token); !errors.Is(err, ErrUnavailable) {
							t.Errorf("%s: %v", address, err)
						}
						if status := backend(a, address)(token); status != http.StatusServiceUnavailable {
							t.Errorf("%s: %d", address, status)
						}
					})
				}
				wg.Wait()
			}
			close(hold)
			testwait.Until(t, "the end of the questions", func() bool {
				a.keystone.mu.Lock()
				defer a.keystone.mu.Unlock()
				return len(a.keystone.asking) == 0
			})
			asked := k.questions()
			if status := ask(late); status != http.StatusOK || k.questions() != asked {
				t.Errorf("the late answer is lost: %d, %d more questions", status, k.questions()-asked)
			}
			if k.most() > most {
				t.Errorf("%d questions at once, %d allowed", k.most(), most)
			}
		})
	}
}

// One user's stale token, however often it comes, is asked about once, and locks
// out nobody.
func TestStaleTokenLocksNobodyOut(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) { cfg.Ticket.FailuresPerMinute = 5 })
	ask := backend(a, "192.0.2.1")
	for range 45 {
		if status := ask(fernet("stale")); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
		_, err := a.Authenticate(t.Context(), socket("192.0.2.1"), fernet("stale"))
		wantError(t, err, ErrUnauthorized)
	}
	if k.questions() != 1 {
		t.Fatalf("%d questions", k.questions())
	}
	// Nor do many tokens: the backend cannot help what its users have.
	for i := range 45 {
		if status := ask(fernet(fmt.Sprintf("stale%d-", i))); status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	if status := ask(k.enrol(c, "ann")); status != http.StatusOK {
		t.Fatal(status)
	}
	// Its refusal is not remembered for ever.
	k.enrol(c, "stale")
	if status := ask(fernet("stale")); status != http.StatusUnauthorized {
		t.Fatal(status)
	}
	c.move(refusedFor)
	if status := ask(fernet("stale")); status != http.StatusOK {
		t.Fatal(status)
	}
}

// An address that a trusted proxy names is a user's, and can lock itself out.
func TestLockoutByAddress(t *testing.T) {
	a, k, c := withKeystone(t, func(cfg *Config) {
		cfg.Ticket.FailuresPerMinute = 5
		cfg.TrustedProxies = []string{"10.0.0.0/8"}
	})
	const proxy = "10.1.1.1"
	for name, by := range map[string]func(address string) func(token string) error{
		"ticket": func(address string) func(string) error {
			ask := backend(a, proxy, address)
			return func(token string) error {
				return map[int]error{200: nil, 401: ErrUnauthorized, 429: errLockedOut}[ask(token)]
			}
		},
		"socket": func(address string) func(string) error {
			r := socket(proxy)
			r.Header.Set("X-Forwarded-For", "192.0.2.99, "+address) // the first is forged
			return func(token string) error {
				_, err := a.Authenticate(t.Context(), r, token)
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			token := k.enrol(c, name)
			mallory, ann := by("2001:db8:1:2::"+fmt.Sprint(len(name))), by("198.51.100.2")
			for i := range 5 {
				wantError(t, mallory(fernet(fmt.Sprintf("%s%d-", name, i))), ErrUnauthorized)
			}
			asked := k.questions()
			if err := mallory(fernet(name + "more")); !errors.Is(err, errLockedOut) {
				t.Errorf("not locked out: %v", err)
			}
			// Another address of the same network is the same host.
			if err := by("2001:db8:1:2:ffff::1")(fernet(name + "evenmore")); !errors.Is(err, errLockedOut) {
				t.Errorf("its network is not locked out: %v", err)
			}
			if k.questions() != asked {
				t.Errorf("%d more questions", k.questions()-asked)
			}
			wantError(t, ann(token), nil)
			wantError(t, mallory(token), nil) // known, so it costs nothing
			c.move(12 * time.Second)
			wantError(t, mallory(fernet(name+"later")), ErrUnauthorized)
			// Good tokens make up for bad ones: there may be many people behind it.
			office := by("198.51.100.3")
			for i := range 3 {
				wantError(t, office(k.enrol(c, fmt.Sprintf("%scolleague%d-", name, i))), nil)
			}
			for i := range 8 {
				wantError(t, office(fernet(fmt.Sprintf("%sold%d-", name, i))), ErrUnauthorized)
			}
		})
	}
	// Keystone's failures are nobody's fault.
	k.set(func() { k.status = 500 })
	ask := backend(a, proxy, "198.51.100.7")
	for range 20 {
		if status := ask(fernet("unsure")); status != http.StatusServiceUnavailable {
			t.Fatal(status)
		}
	}
}

// Users whose addresses are named come to a router that has just started.
func TestManyUsersAtAStart(t *testing.T) {
	for name, forwarded := range map[string]bool{"from a backend": false, "named by a proxy": true} {
		t.Run(name, func(t *testing.T) {
			a, k, c := withKeystone(t, func(cfg *Config) {
				cfg.TrustedProxies, cfg.Keystone.Timeout = []string{"10.0.0.1"}, time.Minute
			})
			a.keystone.slots.pace.SetLimit(rate.Every(time.Hour)) // one probe is all there is
			k.slowly()
			var wg sync.WaitGroup
			for i := range 200 {
				ask := backend(a, "10.0.0.1")
				if forwarded {
					ask = backend(a, "10.0.0.1", fmt.Sprintf("198.51.100.%d", i))
				}
				token := k.enrol(c, fmt.Sprintf("user%d-", i))
				wg.Go(func() {
					if status := ask(token); status != http.StatusOK {
						t.Errorf("user %d: %d", i, status)
					}
				})
			}
			wg.Wait()
		})
	}
}

// A backend that has brought good tokens keeps its standing while strangers at
// ever new addresses come and go, and is a stranger again when it brings bad ones.
func TestStanding(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	if status := backend(a, "192.0.2.1")(k.enrol(c, "ann")); status != http.StatusOK {
		t.Fatal(status)
	}
	s := a.keystone.sources
	for i := range 3 * maxSources {
		s.of(socket(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)), false)
	}
	from := s.of(socket("192.0.2.1"), true)
	if s.known.len() != maxSources || !s.trusted(from) || a.limited(limitSources) < maxSources {
		t.Fatalf("%d sources, trusted %v", s.known.len(), s.trusted(from))
	}
	if s.trusted(s.of(socket("192.0.2.1"), false)) {
		t.Error("its address is trusted on sockets")
	}
	client := s.of(socket("192.0.2.1"), false)
	if s.judged(client, true); s.trusted(client) {
		t.Error("a good token on a socket makes it trusted")
	}
	for range creditEarned {
		s.judged(from, false)
	}
	if s.trusted(from) {
		t.Error("trusted with as many bad tokens as good ones are worth")
	}
}

// Somebody with an account who asks for tickets from an address of their own buys
// no more than a few questions with each good token.
func TestGoodTokenBuysFewBadOnes(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	ask := backend(a, "198.51.100.1")
	if status := ask(k.enrol(c, "mallory")); status != http.StatusOK {
		t.Fatal(status)
	}
	a.keystone.slots.pace.SetBurst(0) // strangers have no turn at all
	a.keystone.slots.pace.SetLimit(0)
	k.slowly()
	var flood sync.WaitGroup
	for i := range 300 {
		flood.Go(func() { ask(fernet(fmt.Sprintf("bad%d-", i))) })
	}
	flood.Wait()
	if most := 1 + creditEarned + cap(a.keystone.slots.all); k.questions() > most {
		t.Errorf("%d questions, at most %d expected", k.questions(), most)
	}
}

func TestSlots(t *testing.T) {
	for most, strangers := range map[int]int{1: 1, 2: 1, 3: 1, 8: 2, 16: 4, 1000: 250} {
		s := newSlots(most)
		if cap(s.all) != most || cap(s.strangers) != strangers {
			t.Errorf("%d slots, %d for strangers; want %d, %d", cap(s.all), cap(s.strangers), most, strangers)
		}
		if s.pace.Limit() != 20 || s.pace.Burst() != 1 {
			t.Errorf("strangers ask %v times per second, %d at once", s.pace.Limit(), s.pace.Burst())
		}
	}
}

func TestAddress(t *testing.T) {
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "::1", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer, forwarded, want string
		named                 bool
	}{
		"peer":                 {"192.0.2.1:5", "", "192.0.2.1", false},
		"peer that lies":       {"192.0.2.1:5", "198.51.100.1", "192.0.2.1", false},
		"proxy":                {"10.1.1.1:5", "198.51.100.1", "198.51.100.1", true},
		"proxy, forged before": {"10.1.1.1:5", "8.8.8.8, 198.51.100.1", "198.51.100.1", true},
		"two proxies":          {"[::1]:5", "198.51.100.1,10.2.2.2", "198.51.100.1", true},
		"only proxies":         {"127.0.0.1:5", "10.1.2.3", "10.1.2.3", true},
		"IPv6":                 {"[::1]:5", "2001:db8::1", "2001:db8::1", true},
		"proxy that says none": {"10.1.1.1:5", "", "10.1.1.1", false},
		"proxy with nonsense":  {"10.1.1.1:5", "unknown", "10.1.1.1", false},
		"unix socket":          {"@", "198.51.100.1", "@", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			if got, named := proxies.Address(r); got != c.want || named != c.named {
				t.Errorf("%q %v, want %q %v", got, named, c.want, c.named)
			}
		})
	}
	for address, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "2001:db8::1:2:3:4": "2001:db8::/64", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::/64", "@": "@", "": "",
	} {
		if got := Network(address); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}
