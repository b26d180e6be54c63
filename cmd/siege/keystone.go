package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// keystone answers questions about tokens, each after a while. It knows whoever has
// a token of member, and nobody else.
type keystone struct {
	*httptest.Server
	mu sync.Mutex
	// Counted since the last reset: questions, those about strangers, and the most
	// there were at the same time.
	asked, strangers, peak int
	atOnce                 int
}

// answerTime is how long Keystone takes for an answer.
const answerTime = 40 * time.Millisecond

func newKeystone() *keystone {
	k := new(keystone)
	k.Server = httptest.NewServer(k)
	return k
}

// fernet is a token that has the shape of Keystone's.
func fernet(name string) string { return "gAAAAAB" + name + "-" + strings.Repeat("x", 150) }

// member is a token of somebody who is in a project.
func member(name, project string) string { return fernet("member_" + name + "_" + project) }

// ServeHTTP implements http.Handler.
func (k *keystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Subject-Token"), "gAAAAAB"), "-")
	parts := strings.Split(name, "_")
	known := len(parts) == 3 && parts[0] == "member"
	k.mu.Lock()
	k.asked++
	if !known {
		k.strangers++
	}
	k.atOnce++
	k.peak = max(k.peak, k.atOnce)
	k.mu.Unlock()
	time.Sleep(answerTime)
	k.mu.Lock()
	k.atOnce--
	k.mu.Unlock()
	if !known {
		http.Error(w, `{"error":{"code":404,"message":"Could not find token.","title":"Not Found"}}`, http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"token":{"methods":["password"],"user":{"id":%q,"domain":{"id":"default"}},"project":{"id":%q,"domain":{"id":"default"}},`+
		`"roles":[{"id":"r","name":"member"}],"audit_ids":["x"],"expires_at":%q}}`, parts[1], parts[2], time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// reset starts counting anew.
func (k *keystone) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked, k.strangers, k.peak = 0, 0, k.atOnce
}

func (k *keystone) counts() (asked, strangers, peak int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.asked, k.strangers, k.peak
}

// rest closes the connections that nobody uses, so that goroutines can be counted.
func (k *keystone) rest() {
	http.DefaultClient.CloseIdleConnections()
	k.CloseClientConnections()
}
