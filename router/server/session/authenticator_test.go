package session

import (
	"net/http/httptest"
	"strings"
	"testing"

	"horizon-realtime/router/auth"
)

// A later token comes from where the first one came from, and no long header is
// kept for that.
func TestCallerKeepsTheAddress(t *testing.T) {
	proxies, err := auth.ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "http://horizon.example/", nil)
	r.RemoteAddr = "10.0.0.1:4000"
	r.Header.Add("X-Forwarded-For", strings.Repeat("192.0.2.1, ", 1000)+"192.0.2.2")
	r.Header.Add("X-Forwarded-For", "198.51.100.7, 10.0.0.9")
	r.Header.Set("Origin", "https://horizon.example")
	c := callerOf(r)
	got, named := proxies.Address(c.request())
	if got != "198.51.100.7" || !named || len(c.forwarded) > maxForwarded || auth.OriginOf(c.request()) != "https://horizon.example" {
		t.Errorf("%s %v of %+v", got, named, c)
	}
}
