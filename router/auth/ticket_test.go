package auth

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestTickets(t *testing.T) {
	a, c := newTest(t, func(*Config) {})
	id := &Identity{User: "u1", Project: "p1"}
	issue := func(origin string) string {
		t.Helper()
		ticket, err := a.Issue(id, origin)
		if err != nil {
			t.Fatal(err)
		}
		return ticket
	}
	one, two := issue("https://Horizon.example:443/"), issue("https://horizon.example")
	if one == two || !strings.HasPrefix(one, ticketPrefix) || len(one) != len(ticketPrefix)+43 {
		t.Fatalf("%q %q", one, two)
	}
	if got, err := a.Redeem(one, "https://horizon.example"); got != id || err != nil {
		t.Fatalf("%+v %v", got, err)
	}
	_, err := a.Redeem(one, "https://horizon.example")
	wantError(t, err, ErrUnauthorized)
	for name, origin := range map[string]string{
		"another": "https://evil.example", "none": "", "null": "null", "other scheme": "http://horizon.example",
		"other port": "https://horizon.example:8443", "below": "https://horizon.example.evil.example", "path": "https://horizon.example/x",
	} {
		t.Run(name, func(t *testing.T) {
			ticket := issue("https://horizon.example")
			_, err := a.Redeem(ticket, origin)
			wantError(t, err, ErrUnauthorized)
			_, err = a.Redeem(ticket, "https://horizon.example")
			wantError(t, err, ErrUnauthorized)
		})
	}
	if _, err := a.Redeem(issue(""), "https://anywhere.example"); err != nil {
		t.Fatal(err)
	}
	late := issue("")
	c.move(maxTicketTTL)
	_, err = a.Redeem(late, "")
	wantError(t, err, ErrExpired)
	_, err = a.Redeem(two[:len(two)-1], "")
	wantError(t, err, ErrUnauthorized)
	if _, err := a.Issue(id, "horizon.example"); err == nil {
		t.Fatal("that is no origin")
	}
}

func TestTicketsAreBounded(t *testing.T) {
	a, c := newTest(t, func(cfg *Config) { cfg.Ticket.Max = 5; cfg.Ticket.MaxPerUser = 2 })
	issue := func(user string) (string, error) { return a.Issue(&Identity{User: user}, "") }
	var tickets []string
	for _, user := range []string{"a", "a", "b", "b", "c"} {
		ticket, err := issue(user)
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, ticket)
	}
	_, err := issue("a")
	wantError(t, err, ErrTooMany)
	_, err = issue("d")
	wantError(t, err, ErrTooMany)
	if a.limited(limitUserTickets) != 1 || a.limited(limitTickets) != 1 {
		t.Fatal("the bounds are not counted")
	}
	if _, err := a.Redeem(tickets[0], ""); err != nil {
		t.Fatal(err)
	}
	if _, err := issue("a"); err != nil {
		t.Fatalf("there is room again: %v", err)
	}
	c.move(maxTicketTTL)
	if _, err := issue("d"); err != nil {
		t.Fatalf("the old ones are over: %v", err)
	}
	if s := a.tickets; s.waiting.len() != 1 || len(s.users) != 1 {
		t.Fatalf("%d waiting, %d users", s.waiting.len(), len(s.users))
	}
}

// Of many concurrent callers exactly one can use a ticket.
func TestTicketIsGoodOnce(t *testing.T) {
	a, _ := newTest(t, func(*Config) {})
	ticket, err := a.Issue(&Identity{User: "u1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var good atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := a.Authenticate(t.Context(), nil, ticket); err == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 {
		t.Fatalf("%d had it", good.Load())
	}
}

func post(body string, headers ...string) *http.Request {
	r := httptest.NewRequest("POST", "/realtime/ticket", strings.NewReader(body))
	r.RemoteAddr = "192.0.2.1:40000"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestTicketHandler(t *testing.T) {
	const secret = "gAAAAABlab-token-which-nobody-may-see"
	a, k, c := withKeystone(t, nil)
	k.tokens[fernet("odd")] = subjectJSON(c.now().Add(time.Hour), "u2", `"audit_ids":[]`)
	h := a.TicketHandler(func() (string, uint64) { return "e1", 41 })
	for name, tc := range map[string]struct {
		r      *http.Request
		status int
		want   string // of the body; the ticket replaced by T
	}{
		"a ticket": {post("", "X-Auth-Token", goodToken), 200,
			`{"ticket":"T","expires_in":30,"channels":["project/p1/*","user/u1/*","public/*"],"position":{"epoch":"e1","offset":41}}`},
		"with an origin": {post(`{"origin":"https://horizon.example","later":1}`, "X-Auth-Token", goodToken), 200,
			`{"ticket":"T","expires_in":30,"channels":["project/p1/*","user/u1/*","public/*"],"position":{"epoch":"e1","offset":41}}`},
		"without a project": {post(`{}`, "X-Auth-Token", fernet("odd")), 200,
			`{"ticket":"T","expires_in":30,"channels":["user/u2/*","public/*"],"position":{"epoch":"e1","offset":41}}`},
		"no token":       {post(""), 401, `{"error":{"code":101,"message":"unauthorized"}}`},
		"unknown token":  {post("", "X-Auth-Token", secret), 401, `{"error":{"code":101,"message":"unauthorized"}}`},
		"two tokens":     {post("", "X-Auth-Token", goodToken, "X-Auth-Token", fernet("odd")), 401, `{"error":{"code":101,"message":"unauthorized"}}`},
		"long token":     {post("", "X-Auth-Token", strings.Repeat("x", maxToken+1)), 401, `{"error":{"code":101,"message":"unauthorized"}}`},
		"GET":            {httptest.NewRequest("GET", "/realtime/ticket", nil), 405, `{"error":{"code":107,"message":"a ticket is asked for with POST"}}`},
		"OPTIONS":        {httptest.NewRequest("OPTIONS", "/realtime/ticket", nil), 405, `{"error":{"code":107,"message":"a ticket is asked for with POST"}}`},
		"bad JSON":       {post(`{`, "X-Auth-Token", goodToken), 400, `{"error":{"code":107,"message":"the body is empty or {\"origin\": \"https://…\"}"}}`},
		"bad origin":     {post(`{"origin":"javascript:alert(1)"}`, "X-Auth-Token", goodToken), 400, `{"error":{"code":107,"message":"the body is empty or {\"origin\": \"https://…\"}"}}`},
		"origin is a 1":  {post(`{"origin":1}`, "X-Auth-Token", goodToken), 400, `{"error":{"code":107,"message":"the body is empty or {\"origin\": \"https://…\"}"}}`},
		"endless origin": {post(`{"origin":"`+strings.Repeat("x", maxTicketBody), "X-Auth-Token", goodToken), 413, `{"error":{"code":107,"message":"the body is empty or {\"origin\": \"https://…\"}"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			a.log = slog.New(slog.NewTextHandler(&log, nil))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, tc.r)
			var answer ticketAnswer
			body := strings.TrimSpace(w.Body.String())
			if json.Unmarshal([]byte(body), &answer); answer.Ticket != "" {
				body = strings.Replace(body, answer.Ticket, "T", 1)
			}
			if w.Code != tc.status || body != tc.want {
				t.Errorf("%d %s\nwant %d %s", w.Code, body, tc.status, tc.want)
			}
			if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("headers %v", w.Header())
			}
			for _, hidden := range []string{secret, goodToken, "hrt_"} {
				if strings.Contains(log.String(), hidden) {
					t.Errorf("the log has it: %s", log.String())
				}
			}
		})
	}
}

// A ticket opens one connection, from its page, which ends with the token.
func TestTicketForAConnection(t *testing.T) {
	a, k, c := withKeystone(t, nil)
	h := a.TicketHandler(func() (string, uint64) { return "e", 0 })
	ticket := func() string {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, post(`{"origin":"https://horizon.example"}`, "X-Auth-Token", goodToken))
		var answer ticketAnswer
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Ticket == "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return answer.Ticket
	}
	connect := func(token string, headers ...string) (*Identity, error) {
		r := httptest.NewRequest("GET", "/realtime/connection/websocket", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return a.Authenticate(t.Context(), r, token)
	}
	id, err := connect(ticket(), "Origin", "https://horizon.example")
	if err != nil || id.Project != "p1" || !id.Expires.Equal(c.now().Add(time.Hour)) || k.questions() != 1 {
		t.Fatalf("%+v %v", id, err)
	}
	if _, err := connect(ticket(), "Referer", "https://horizon.example/project/instances/"); err != nil {
		t.Fatalf("an EventSource of the page itself: %v", err)
	}
	_, err = connect(ticket(), "Origin", "https://evil.example", "Referer", "https://horizon.example/")
	wantError(t, err, ErrUnauthorized)
	_, err = connect(ticket())
	wantError(t, err, ErrUnauthorized)
	// The token is revoked while the ticket waits.
	waiting := ticket()
	k.set(func() { delete(k.tokens, goodToken) })
	a.Revocation(notification(t, `{"event_type":"identity.user.updated","payload":{"resource_info":"u1"}}`))
	_, err = connect(waiting, "Origin", "https://horizon.example")
	wantError(t, err, ErrUnauthorized)
	// A ticket does not buy another.
	w := httptest.NewRecorder()
	h.ServeHTTP(w, post("", "X-Auth-Token", ticketPrefix+"x"))
	if w.Code != http.StatusUnauthorized {
		t.Fatal(w.Code)
	}
}
