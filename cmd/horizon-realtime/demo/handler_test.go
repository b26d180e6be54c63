package demo

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte("only for this test, 32 bytes long")

// startPage serves a quiet cloud's page until the test ends.
func startPage(t *testing.T) (*Cloud, string) {
	t.Helper()
	c := startCloud(t, func(string, string, []byte) error { return nil }, Options{})
	server := httptest.NewServer(Handler(c, Deps{
		Mint:     NewMint(secret, time.Minute),
		Position: func() (string, uint64) { return "epoch", 41 },
		Prefix:   "/realtime/",
	}))
	t.Cleanup(server.Close)
	return c, server.URL
}

func request(t *testing.T, method, url, body string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestStatuses(t *testing.T) {
	c, url := startPage(t)
	alpha, beta := c.of(&Projects[0])[0].id, c.of(&Projects[1])[0].id
	for _, test := range []struct {
		name, method, path, body string
		header                   map[string]string
		want                     int
		contains                 string
	}{
		{"root", "GET", "/", "", nil, 302, ""},
		{"style", "GET", "/demo/assets/page.css", "", nil, 200, ""},
		{"no such asset", "GET", "/demo/assets/cloud.go", "", nil, 404, ""},
		{"no such page", "GET", "/project/volumes/x", "", nil, 404, ""},
		{"list", "GET", "/demo/api/instances?project=alpha", "", nil, 200, `"position":{"epoch":"epoch","offset":41}`},
		{"list of nobody", "GET", "/demo/api/instances?project=gamma", "", nil, 404, `"gamma\"; there are`},
		{"launch", "POST", "/demo/api/instances", `{"project":"alpha","name":"x"}`, nil, 202, `{"id":"`},
		{"launch for nobody", "POST", "/demo/api/instances", `{"project":"gamma"}`, nil, 404, ""},
		{"suspend", "POST", "/demo/api/instances/" + alpha + "/suspend", `{"project":"alpha"}`, nil, 202, ""},
		{"suspend again", "POST", "/demo/api/instances/" + alpha + "/suspend", `{"project":"alpha"}`, nil, 409, "cannot suspend"},
		{"another project's", "POST", "/demo/api/instances/" + beta + "/delete", `{"project":"alpha"}`, nil, 404, ""},
		{"unknown action", "POST", "/demo/api/instances/" + alpha + "/explode", `{"project":"alpha"}`, nil, 404, "explode"},
		{"not JSON", "POST", "/demo/api/token", `{`, nil, 400, "read the request"},
		{"unknown member", "POST", "/demo/api/token", `{"role":"admin"}`, nil, 400, "unknown field"},
		{"too long", "POST", "/demo/api/token", `{"project":"` + strings.Repeat("a", maxRequest) + `"}`, nil, 400, "too large"},
		{"a form", "POST", "/demo/api/token", `project=alpha`, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, ""},
		{"cross-site", "POST", "/demo/api/token", `{"project":"alpha"}`, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, ""},
		{"another origin", "POST", "/demo/api/life", `{"on":true}`, map[string]string{"Origin": "http://evil.example"}, 403, ""},
		{"same origin", "POST", "/demo/api/life", `{"on":true}`, map[string]string{"Origin": url}, 200, `{"on":false}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, text := request(t, test.method, url+test.path, test.body, test.header)
			if response.StatusCode != test.want || !strings.Contains(text, test.contains) {
				t.Errorf("%d %s, want %d with %q", response.StatusCode, text, test.want, test.contains)
			}
			policy := response.Header.Get("Content-Security-Policy")
			if !strings.Contains(policy, "script-src 'self';") || response.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers: %v", response.Header)
			}
		})
	}
}

func TestPageNeedsNoInlineScript(t *testing.T) {
	_, url := startPage(t)
	response, text := request(t, "GET", url+"/project/instances", "", nil)
	if response.StatusCode == http.StatusServiceUnavailable {
		if !strings.Contains(text, "make build") {
			t.Errorf("without its bundle the page says: %s", text)
		}
		return // built without Node: there is no page to look at
	}
	for _, bad := range []string{"<script>", "javascript:", " style=", " onclick=", "//cdn"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if !strings.Contains(text, `content="/realtime"`) {
		t.Errorf("the page does not know the prefix: %.400s", text)
	}
}

func TestListedRowsAreTheProjectsOwn(t *testing.T) {
	_, url := startPage(t)
	for _, p := range Projects {
		_, text := request(t, "GET", url+"/demo/api/instances?project="+p.Name, "", nil)
		var view View
		if err := json.Unmarshal([]byte(text), &view); err != nil {
			t.Fatal(err)
		}
		if len(view.Instances) != 3 || view.Channel != "project/"+p.ID+"/instances" {
			t.Errorf("%s: %s", p.Name, text)
		}
		for _, row := range view.Instances {
			if row.ProjectID != p.ID || row.Status != "ACTIVE" || len(row.Data.Addresses) != 1 || view.Images[row.Data.ImageID] == "" {
				t.Errorf("%s lists %+v", p.Name, row)
			}
		}
	}
}

func TestTokensSayWhoIsAsking(t *testing.T) {
	_, url := startPage(t)
	_, text := request(t, "POST", url+"/demo/api/token", `{"project":"beta"}`, nil)
	var answer struct{ Token string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(answer.Token, claims, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil || claims["project_id"] != Projects[1].ID || claims["sub"] != Projects[1].User.ID {
		t.Errorf("claims %v, %v", claims, err)
	}
}

func TestNotificationsAreShownAsPublished(t *testing.T) {
	c, url := startPage(t)
	r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/demo/api/notifications", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := c.Launch(t.Context(), "beta", "shown", "", ""); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(response.Body)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var raw Raw
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "data: ")), &raw); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	n := sent{raw.Exchange, raw.RoutingKey, raw.Body}.inner(t)
	if raw.Project != "beta" || raw.Exchange != "nova" || n["event_type"] != "instance.update" {
		t.Errorf("shown: %+v", raw)
	}
}

// TestWatchersAreBounded: one that does not read misses notifications, and
// holds nobody up.
func TestWatchersAreBounded(t *testing.T) {
	tap := newTap()
	_, live, cancel := tap.watch()
	for range 10 * tapBuffer {
		tap.put(message{exchange: "nova"})
	}
	if len(live) != tapBuffer || len(tap.recent) != tapHistory {
		t.Errorf("%d waiting, %d remembered", len(live), len(tap.recent))
	}
	cancel()
	cancel()
	if len(tap.watchers) != 0 {
		t.Error("a cancelled watcher is kept")
	}
}
