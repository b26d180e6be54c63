package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Errors that a client can act on. Every error of Authenticate and Revalidate
// wraps one of them. The rest of its text is for the log and never holds a token.
var (
	// ErrUnauthorized: the token is invalid and stays so (101; a connection is
	// closed with 3500).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrExpired: the token was valid; a new one will do (109).
	ErrExpired = errors.New("token expired")
	// ErrUnavailable: the token could not be checked; try again (100, temporary).
	ErrUnavailable = errors.New("temporarily unavailable")
)

// maxToken bounds a token, in bytes. A JWT with long lists of roles and channels
// stays below 8 KiB.
const maxToken = 16 << 10

// Authenticator turns tokens into identities. It is safe for concurrent use.
type Authenticator struct {
	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	tickets  *tickets
	lockout  *lockout
	jwt      *jwtVerifier // nil: closed
	keystone *keystone    // nil: closed
	now      func() time.Time
}

// New makes an Authenticator from a validated Config. It reads key files at once,
// so that a mistake shows at the start. The URL of a key set is first read by
// Run, because its server may start after the router.
//
// # Errors
//
// A key, certificate or secret file that cannot be read or used.
func New(ctx context.Context, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Authenticator, error) {
	a := &Authenticator{cfg: cfg, log: log, metrics: newMetrics(reg), now: time.Now}
	clock := func() time.Time { return a.now() }
	a.tickets = newTickets(cfg.Ticket, a.metrics, clock)
	a.lockout = newLockout(cfg.Ticket.FailuresPerMinute, a.metrics, clock)
	var err error
	if len(cfg.JWT.sources()) > 0 {
		if a.jwt, err = newJWTVerifier(ctx, &a.cfg, log, a.metrics, clock); err != nil {
			return nil, err
		}
	}
	if cfg.Keystone.URL != "" {
		if a.keystone, err = newKeystone(&a.cfg, log, a.metrics, clock); err != nil {
			return nil, err
		}
	}
	switch {
	case cfg.Anonymous.Enabled && cfg.Anonymous.Force:
		log.Warn("everybody who can reach this port is let in without a token, because [auth.anonymous] force is set",
			"project", cfg.Anonymous.ProjectID)
	case !a.Open():
		log.Warn("nobody can connect: set [auth.keystone] url, a key in [auth.jwt], or [auth.anonymous] enabled")
	}
	return a, nil
}

// Open reports whether there is any way in.
func (a *Authenticator) Open() bool {
	return a.cfg.Anonymous.Enabled || a.jwt != nil || a.keystone != nil
}

// Reach asks Keystone for its version, if [auth.keystone] names one.
//
// # Errors
//
// Keystone does not answer, or something else does.
func (a *Authenticator) Reach(ctx context.Context) error {
	if a.keystone == nil {
		return nil
	}
	return a.keystone.reach(ctx)
}

// Run keeps the JSON Web Key Set fresh until ctx is done.
//
// # Errors
//
// None but ctx's own.
func (a *Authenticator) Run(ctx context.Context) error {
	if a.keystone != nil {
		defer a.keystone.close()
	}
	if a.jwt != nil {
		if set, ok := a.jwt.keys.(*keySet); ok {
			return set.run(ctx)
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// Authenticate identifies the client that sent r with this token. The token's
// shape decides who checks it: no token is anonymous, `hrt_…` is a ticket, a
// compact JWS is a JWT, anything else is Keystone's. r says where the request
// comes from, for anonymous clients and a ticket's origin.
//
// # Errors
//
// One that wraps ErrUnauthorized, ErrExpired or ErrUnavailable.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request, token string) (*Identity, error) {
	method, id, err := a.judge(ctx, r, token)
	a.metrics.attempts.WithLabelValues(method, result(err)).Inc()
	return id, err
}

func (a *Authenticator) judge(ctx context.Context, r *http.Request, token string) (method string, id *Identity, err error) {
	switch {
	case token == "":
		id, err = a.anonymous(r)
		return methodAnonymous, id, err
	case strings.HasPrefix(token, ticketPrefix):
		id, err = a.redeem(ctx, r, token)
		return methodTicket, id, err
	}
	return a.judgeToken(ctx, token)
}

// judgeToken is for tokens that are neither tickets nor absent.
func (a *Authenticator) judgeToken(ctx context.Context, token string) (method string, id *Identity, err error) {
	if len(token) > maxToken {
		return methodNone, nil, fmt.Errorf("%w: the token has %d bytes, over the limit of %d", ErrUnauthorized, len(token), maxToken)
	}
	if !printable(token) {
		return methodNone, nil, fmt.Errorf("%w: the token has characters that no token has", ErrUnauthorized)
	}
	header, claims := looksLikeJWT(token)
	if a.jwt != nil && header && (a.keystone == nil || !claims) {
		id, err = a.jwt.identity(ctx, token)
		return methodJWT, id, err
	}
	if a.keystone != nil {
		id, err = a.keystone.identity(ctx, token)
		return methodKeystone, id, err
	}
	return methodNone, nil, fmt.Errorf("%w: no open way takes such a token; see [auth.jwt] and [auth.keystone]", ErrUnauthorized)
}

// printable reports whether a token is visible ASCII: it fits in a header, and has
// no line breaks, which a base64 decoder would skip.
func printable(token string) bool {
	for i := 0; i < len(token); i++ {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return true
}

// looksLikeJWT reports whether a token has three parts and a JSON object for a
// header, and whether its claims say that Keystone made it, as with
// `[token] provider = jws`. It only selects who checks the token.
func looksLikeJWT(token string) (header, keystones bool) {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return false, false
	}
	var fields map[string]json.RawMessage
	if !decodePart(parts[0], &fields) {
		return false, false
	}
	var claims struct {
		Methods json.RawMessage `json:"openstack_methods"`
	}
	return true, decodePart(parts[1], &claims) && claims.Methods != nil
}

func decodePart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}

// redeem turns a ticket into the identity that it was issued for. The identity is
// checked again, so that a revocation in between is not missed.
func (a *Authenticator) redeem(ctx context.Context, r *http.Request, ticket string) (*Identity, error) {
	id, err := a.Redeem(ticket, OriginOf(r))
	if err != nil {
		return nil, err
	}
	return a.Revalidate(ctx, id)
}

// OriginOf is the origin of the page whose browser sent r. Browsers omit Origin
// from a GET to the page's own origin (as of an EventSource); then Referer holds
// it.
func OriginOf(r *http.Request) string {
	if r == nil {
		return ""
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		return origin
	}
	page, err := url.Parse(r.Header.Get("Referer"))
	if err != nil || page.Host == "" {
		return ""
	}
	return page.Scheme + "://" + page.Host
}

// Revalidate checks an identity's token again: when RevalidateAt has come, or when
// a Revocation matches it. It returns the identity as it is now, with which every
// subscription has to pass MayHear again.
//
// # Errors
//
// ErrUnauthorized and ErrExpired end the connection. ErrUnavailable does not: the
// identity stays valid until it expires, and is checked again later.
func (a *Authenticator) Revalidate(ctx context.Context, id *Identity) (*Identity, error) {
	if !id.Expires.IsZero() && !a.now().Before(id.Expires) {
		return nil, fmt.Errorf("%w: at %s", ErrExpired, id.Expires.UTC().Format(time.RFC3339))
	}
	if id.proof == nil {
		return id, nil
	}
	_, now, err := a.judgeToken(ctx, id.proof.token)
	if err == nil && now.User != id.User {
		return nil, fmt.Errorf("%w: the token became another user's", ErrUnauthorized)
	}
	return now, err
}

// isAdmin reports whether one of the roles opens admin/*.
func (c *Config) isAdmin(roles []string) bool { return hasAny(roles, c.AdminRoles) }
