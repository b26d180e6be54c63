package auth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ticketPrefix distinguishes a ticket from other tokens, also for scanners that
// look for leaked secrets.
const ticketPrefix = "hrt_"

// ticketBytes is how many random bytes a ticket has.
const ticketBytes = 32

// ErrTooMany means that the router or the user has too many unused tickets.
var ErrTooMany = errors.New("too many tickets")

// tickets holds the unused tickets. They are kept by their SHA-256, so that the
// time of a lookup reveals nothing about them.
type tickets struct {
	cfg    TicketConfig
	metric *metrics
	now    func() time.Time

	mu      sync.Mutex
	waiting bounded[tokenKey, ticket] // the oldest expires first
	users   map[string]int
}

type ticket struct {
	id      *Identity
	origin  string // "": any
	expires time.Time
}

func newTickets(cfg TicketConfig, m *metrics, now func() time.Time) *tickets {
	return &tickets{
		cfg: cfg, metric: m, now: now,
		waiting: newBounded[tokenKey, ticket](cfg.Max), users: map[string]int{},
	}
}

// Issue makes a ticket. It is valid once, for [auth.ticket] ttl, for a connection
// from origin (`https://horizon.example`). With an empty origin the server's own
// check is all there is.
//
// # Errors
//
// ErrTooMany, or a malformed origin.
func (a *Authenticator) Issue(id *Identity, origin string) (string, error) {
	return a.tickets.issue(id, origin)
}

// Redeem consumes a ticket, even if it then refuses it, and returns the identity
// that it was issued for. Authenticate does this and revalidates.
//
// # Errors
//
// ErrUnauthorized if there is no such ticket or it is for another origin,
// ErrExpired if it came too late.
func (a *Authenticator) Redeem(ticket, origin string) (*Identity, error) {
	return a.tickets.redeem(ticket, origin)
}

func (t *tickets) issue(id *Identity, origin string) (string, error) {
	if origin != "" {
		var err error
		if origin, err = parseOrigin(origin); err != nil {
			return "", err
		}
	}
	var random [ticketBytes]byte
	rand.Read(random[:]) // never fails: it would end the program
	text := ticketPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	key := hashToken(text)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep()
	if t.users[id.User] >= t.cfg.MaxPerUser {
		t.metric.limit(limitUserTickets)
		return "", fmt.Errorf("%w: %d of this user are unused, the limit of [auth.ticket] max_per_user", ErrTooMany, t.cfg.MaxPerUser)
	}
	if t.waiting.len() >= t.cfg.Max {
		t.metric.limit(limitTickets)
		return "", fmt.Errorf("%w: %d are unused, the limit of [auth.ticket] max", ErrTooMany, t.cfg.Max)
	}
	t.waiting.put(key, ticket{id, origin, t.now().Add(t.cfg.TTL)})
	t.users[id.User]++
	return text, nil
}

func (t *tickets) redeem(text, origin string) (*Identity, error) {
	key := hashToken(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.waiting.get(key)
	if !ok {
		return nil, fmt.Errorf("%w: no such ticket, or it was used", ErrUnauthorized)
	}
	t.remove(key, found)
	if !t.now().Before(found.expires) {
		return nil, fmt.Errorf("%w: the ticket was valid for %s", ErrExpired, t.cfg.TTL)
	}
	if found.origin != "" {
		if got, err := parseOrigin(origin); err != nil || got != found.origin {
			return nil, fmt.Errorf("%w: the ticket is for another origin", ErrUnauthorized)
		}
	}
	return found.id, nil
}

// sweep forgets the expired tickets.
func (t *tickets) sweep() {
	for key, found := range t.waiting.all() {
		if t.now().Before(found.expires) {
			return
		}
		t.remove(key, *found)
	}
}

func (t *tickets) remove(key tokenKey, found ticket) {
	t.waiting.remove(key)
	if t.users[found.id.User]--; t.users[found.id.User] == 0 {
		delete(t.users, found.id.User)
	}
}

// parseOrigin returns the canonical spelling of a web origin (RFC 6454 §6.2):
// lower case, without the scheme's default port.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.TrimRight(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("not an origin: it looks like https://horizon.example")
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + host, nil
}
