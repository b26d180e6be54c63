package auth

import (
	"container/list"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ticketPrefix tells a ticket from other tokens, and a scanner of leaked secrets
// what it found.
const ticketPrefix = "hrt_"

// ticketBytes of randomness are in a ticket.
const ticketBytes = 32

// ErrTooMany: tickets that wait to be used are at their bound, the router's or
// the user's.
var ErrTooMany = errors.New("too many tickets")

// tickets are the issued ones that wait to be used. They are kept by their
// SHA-256, so that looking one up tells nothing about those that are there.
type tickets struct {
	cfg    TicketConfig
	metric *metrics
	now    func() time.Time

	mu      sync.Mutex
	waiting map[tokenKey]*list.Element // of ticket
	order   *list.List                 // oldest first, which is the first to end
	users   map[string]int
}

type ticket struct {
	key    tokenKey
	id     *Identity
	origin string // "": any
	ends   time.Time
}

func newTickets(cfg TicketConfig, m *metrics, now func() time.Time) *tickets {
	return &tickets{
		cfg: cfg, metric: m, now: now,
		waiting: map[tokenKey]*list.Element{}, order: list.New(), users: map[string]int{},
	}
}

// Issue makes a ticket: good once, for [auth.ticket] ttl, for a connection from
// origin (`https://horizon.example`); an empty origin leaves it to the server's
// own check.
//
// # Errors
//
// ErrTooMany; an origin that is none.
func (a *Authenticator) Issue(id *Identity, origin string) (string, error) {
	return a.tickets.issue(id, origin)
}

// Redeem uses a ticket up, whatever comes of it, and gives the identity it was
// issued for. Authenticate does this, and revalidates.
//
// # Errors
//
// ErrUnauthorized where there is no such ticket, or its origin is another;
// ErrExpired where it came too late.
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
	rand.Read(random[:]) // never fails, it ends the program instead
	text := ticketPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	key := hashToken(text)

	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep()
	if t.users[id.User] >= t.cfg.MaxPerUser {
		t.metric.limit(limitUserTickets)
		return "", fmt.Errorf("%w: %d of this user wait to be used, the limit of [auth.ticket] max_per_user", ErrTooMany, t.cfg.MaxPerUser)
	}
	if t.order.Len() >= t.cfg.Max {
		t.metric.limit(limitTickets)
		return "", fmt.Errorf("%w: %d wait to be used, the limit of [auth.ticket] max", ErrTooMany, t.cfg.Max)
	}
	t.waiting[key] = t.order.PushBack(ticket{key, id, origin, t.now().Add(t.cfg.TTL)})
	t.users[id.User]++
	return text, nil
}

func (t *tickets) redeem(text, origin string) (*Identity, error) {
	key := hashToken(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.waiting[key]
	if e == nil {
		return nil, fmt.Errorf("%w: no such ticket, or it was used", ErrUnauthorized)
	}
	found := e.Value.(ticket)
	t.remove(e)
	if !t.now().Before(found.ends) {
		return nil, fmt.Errorf("%w: the ticket was good for %s", ErrExpired, t.cfg.TTL)
	}
	if found.origin != "" {
		if got, err := parseOrigin(origin); err != nil || got != found.origin {
			return nil, fmt.Errorf("%w: the ticket is for another origin", ErrUnauthorized)
		}
	}
	return found.id, nil
}

// sweep forgets the tickets whose time is over.
func (t *tickets) sweep() {
	for e := t.order.Front(); e != nil && !t.now().Before(e.Value.(ticket).ends); e = t.order.Front() {
		t.remove(e)
	}
}

func (t *tickets) remove(e *list.Element) {
	found := t.order.Remove(e).(ticket)
	delete(t.waiting, found.key)
	if t.users[found.id.User]--; t.users[found.id.User] == 0 {
		delete(t.users, found.id.User)
	}
}

// parseOrigin gives the one spelling of a web origin (RFC 6454 §6.2): lower
// case, without the scheme's own port.
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
