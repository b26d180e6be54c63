package goclient

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// control has the server's side do something: see interop_e2e_test.go.
func control(t *testing.T, method, path, query, body string) string {
	t.Helper()
	r, err := http.NewRequest(method, os.Getenv("CONTROL")+path+"?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v", method, path, answer.Status, err)
	}
	return string(text)
}

func publish(t *testing.T, channel, data string) {
	t.Helper()
	control(t, "POST", "/publish", url.Values{"channel": {channel}}.Encode(), data)
}

// token is a JWT that is good for so long; channels, unless empty, is a narrower
// list with blanks between.
func token(t *testing.T, user, life, channels string) string {
	t.Helper()
	return control(t, "GET", "/token", url.Values{"user": {user}, "project": {user}, "life": {life}, "channels": {channels}}.Encode(), "")
}
