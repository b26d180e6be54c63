package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
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

// Authenticator turns tokens into identities. It is safe for concurrent use.
type Authenticator struct {
	cfg      Config
	log      *slog.Logger
	refusals *RefusalLog
	metrics  *metrics
	tickets  *tickets
	files    *files
	sweeps   sweeps
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
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Authenticator, error) {
	a := &Authenticator{cfg: cfg, log: log, refusals: NewRefusalLog(log), metrics: newMetrics(reg), now: time.Now}
	clock := func() time.Time { return a.now() }
	a.tickets = newTickets(cfg.Ticket, a.metrics, clock)
	a.files = &files{log: log, metric: a.metrics}
	proxies, err := ParseProxies(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	if len(cfg.JWT.sources()) > 0 {
		if a.jwt, err = newJWTVerifier(&a.cfg, a.files, log, a.metrics, clock); err != nil {
			return nil, err
		}
	}
	if cfg.Keystone.URL != "" {
		a.keystone = newKeystone(&a.cfg, proxies, a.refusals, a.metrics, clock)
		if err := a.files.add("[auth.keystone] ca_file", cfg.Keystone.CAFile, a.keystone.transport.useCA); err != nil {
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

// Run keeps keys and certificates fresh until ctx is done.
//
// # Errors
//
// None but ctx's own.
func (a *Authenticator) Run(ctx context.Context) error {
	if a.keystone != nil {
		defer a.keystone.close()
	}
	var work sync.WaitGroup
	work.Go(func() { a.files.run(ctx) })
	if a.jwt != nil && a.cfg.JWT.JWKSURL != "" {
		work.Go(func() { a.jwt.keys.(*keySet).run(ctx) })
	}
	work.Wait()
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
	return a.judgeToken(ctx, token, a.cfg.Keystone.Direct, a.from(r, false))
}

// from is a function that finds a request's source, for when it is needed.
func (a *Authenticator) from(r *http.Request, backend bool) func() *source {
	return func() *source { return a.keystone.sources.of(r, backend) }
}

// known is the source of questions about clients that are known.
func known() *source { return nil }

// judgeToken is for tokens that are neither tickets nor absent. asking allows
// questions to Keystone, which are counted to the source.
func (a *Authenticator) judgeToken(ctx context.Context, token string, asking bool, from func() *source) (method string, id *Identity, err error) {
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
	switch {
	case a.keystone == nil:
		return methodNone, nil, fmt.Errorf("%w: no open way takes such a token; see [auth.jwt] and [auth.keystone]", ErrUnauthorized)
	case !keystoneShaped(token, claims):
		return methodKeystone, nil, fmt.Errorf("%w: Keystone makes no such tokens", ErrUnauthorized)
	case !asking:
		return methodKeystone, nil, fmt.Errorf("%w: a Keystone token is good for a ticket; [auth.keystone] direct would let it connect", ErrUnauthorized)
	}
	id, err = a.keystone.identity(ctx, from, token)
	return methodKeystone, id, err
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
	_, now, err := a.judgeToken(ctx, id.proof.token, true, known)
	if err == nil && (now.User != id.User || now.Project != id.Project) {
		return nil, fmt.Errorf("%w: the token became another user's or project's", ErrUnauthorized)
	}
	return now, err
}

// isAdmin reports whether one of the roles opens admin/*.
func (c *Config) isAdmin(roles []string) bool { return hasAny(roles, c.AdminRoles) }
