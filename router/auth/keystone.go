package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// keystone checks tokens by asking Keystone. A token is its own credential:
// Keystone's policy lets it validate itself, so the router needs no account.
type keystone struct {
	client    *gophercloud.ServiceClient
	transport *transport
	cache     *tokenCache
	sources   *sources
	slots     slots
	cfg       *Config
	log       *RefusalLog
	metric    *metrics
	now       func() time.Time

	base context.Context // ends with close
	stop context.CancelFunc
	work sync.WaitGroup // the questions

	mu     sync.Mutex
	asking map[tokenKey]*question
}

func newKeystone(cfg *Config, proxies Proxies, log *RefusalLog, m *metrics, now func() time.Time) *keystone {
	k := &keystone{
		transport: newTransport(cfg.Keystone.MaxRequests),
		cache:     newTokenCache(cfg.Keystone.CacheSize, m, now),
		sources:   newSources(proxies, cfg.Ticket.FailuresPerMinute, m, now),
		slots:     newSlots(cfg.Keystone.MaxRequests),
		cfg:       cfg, log: log, metric: m, now: now,
		asking: map[tokenKey]*question{},
	}
	k.base, k.stop = context.WithCancel(context.Background())
	provider := &gophercloud.ProviderClient{HTTPClient: http.Client{
		Transport: k.transport,
		// net/http would send X-Auth-Token along to wherever it is redirected.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	provider.UserAgent.Prepend("horizon-realtime")
	endpoint := strings.TrimRight(cfg.Keystone.URL, "/")
	if !strings.HasSuffix(endpoint, "/v3") {
		endpoint += "/v3"
	}
	k.client = &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: endpoint + "/"}
	return k
}

// reach asks for the version, which Keystone tells everybody.
func (k *keystone) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Keystone.Timeout)
	defer cancel()
	resp, err := k.client.Get(ctx, k.client.Endpoint, nil, &gophercloud.RequestOpts{
		OkCodes: []int{http.StatusOK}, KeepResponseBody: true,
	})
	if err != nil {
		var status gophercloud.ErrUnexpectedResponseCode
		if errors.As(err, &status) {
			return fmt.Errorf("%s answered %d; [auth.keystone] url is Keystone's own, such as https://keystone.example.org:5000/v3", k.client.Endpoint, status.Actual)
		}
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Version struct {
			ID string `json:"id"`
		} `json:"version"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || !strings.HasPrefix(answer.Version.ID, "v3") {
		return fmt.Errorf("%s answers, but not as Keystone's v3 does", k.client.Endpoint)
	}
	return nil
}

// close ends the questions that are left.
func (k *keystone) close() {
	k.mu.Lock()
	k.stop()
	k.mu.Unlock()
	k.work.Wait()
	k.transport.CloseIdleConnections()
}

// identity checks one token for a source: from what is remembered, or by asking
// Keystone once for all callers that wait for the same token.
//
// # Errors
//
// ErrUnauthorized if Keystone does not know the token, ErrExpired if the token has
// expired, ErrUnavailable if Keystone does not answer in time or may not be asked.
func (k *keystone) identity(ctx context.Context, from func() *source, token string) (*Identity, error) {
	key := hashToken(token)
	if id, err := k.cache.get(key); id != nil || err != nil {
		return id, err
	}
	who := from()
	if k.sources.lockedOut(who) {
		k.metric.limit(limitLockout)
		return nil, errLockedOut
	}
	q, err := k.begin(who, key, token)
	if err != nil {
		return nil, err
	}
	patience := time.NewTimer(k.cfg.Keystone.Timeout)
	defer patience.Stop()
	select {
	case <-q.done:
		return q.id, q.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-patience.C:
		return nil, fmt.Errorf("%w: no answer from Keystone within %s", ErrUnavailable, k.cfg.Keystone.Timeout)
	}
}

// subject is Keystone's answer about a token, `GET /v3/auth/tokens`.
type subject struct {
	User struct {
		ID     string  `json:"id"`
		Name   string  `json:"name"`
		Domain ownerID `json:"domain"`
	} `json:"user"`
	Project *struct {
		ID     string  `json:"id"`
		Domain ownerID `json:"domain"`
	} `json:"project"`
	Domain *ownerID `json:"domain"`
	System *struct {
		All bool `json:"all"`
	} `json:"system"`
	Roles []struct {
		Name string `json:"name"`
	} `json:"roles"`
	ExpiresAt      time.Time `json:"expires_at"`
	IsAdminProject *bool     `json:"is_admin_project"`
	Trust          *struct {
		ID      string  `json:"id"`
		Trustor ownerID `json:"trustor_user"`
		Trustee ownerID `json:"trustee_user"`
	} `json:"OS-TRUST:trust"`
	Credential *ownerID `json:"application_credential"`
}

type ownerID struct {
	ID string `json:"id"`
}

func (k *keystone) validate(ctx context.Context, token string) (*Identity, error) {
	start := time.Now()
	s, err := k.fetch(ctx, token)
	k.metric.keystone.WithLabelValues(result(err)).Observe(time.Since(start).Seconds())
	if err != nil {
		return nil, err
	}
	if s.User.ID == "" || s.ExpiresAt.IsZero() {
		return nil, fmt.Errorf("%w: Keystone's answer names no user or no expires_at", ErrUnavailable)
	}
	if !k.now().Before(s.ExpiresAt) {
		return nil, fmt.Errorf("%w: at %s", ErrExpired, s.ExpiresAt.UTC().Format(time.RFC3339))
	}
	return s.identity(k.cfg, token), nil
}

// fetch sends the request. gophercloud's errors quote the body, and Keystone's
// bodies quote the token, so only the status is taken from them.
func (k *keystone) fetch(ctx context.Context, token string) (*subject, error) {
	ctx, cancel := context.WithTimeout(ctx, questionLimit)
	defer cancel()
	var r tokens.GetResult
	resp, err := k.client.Get(ctx, k.client.ServiceURL("auth", "tokens")+"?nocatalog", &r.Body, &gophercloud.RequestOpts{
		MoreHeaders: map[string]string{"X-Auth-Token": token, "X-Subject-Token": token},
		OkCodes:     []int{http.StatusOK, http.StatusNonAuthoritativeInfo},
	})
	_, r.Header, r.Err = gophercloud.ParseResponse(resp, err)
	var s subject
	if r.Err == nil {
		if err := r.ExtractInto(&s); err != nil {
			return nil, fmt.Errorf("%w: read Keystone's answer: %w", ErrUnavailable, err)
		}
		return &s, nil
	}
	var status gophercloud.ErrUnexpectedResponseCode
	if !errors.As(r.Err, &status) {
		return nil, fmt.Errorf("%w: ask Keystone: %w", ErrUnavailable, r.Err)
	}
	switch status.Actual {
	case http.StatusForbidden:
		k.log.Log(slog.LevelWarn, "Keystone's policy does not let a token validate itself; identity:validate_token needs rule:token_subject")
		fallthrough
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound,
		http.StatusRequestHeaderFieldsTooLarge, http.StatusRequestEntityTooLarge:
		return nil, fmt.Errorf("%w: Keystone answered %d", ErrUnauthorized, status.Actual)
	}
	return nil, fmt.Errorf("%w: Keystone answered %d", ErrUnavailable, status.Actual)
}

// identity makes an Identity of the answer. A token scoped to a project or the
// system can be an admin's. One scoped to a domain cannot: its admin manages a
// part of the cloud, and admin/* is about all of it.
func (s *subject) identity(cfg *Config, token string) *Identity {
	id := &Identity{
		User:    s.User.ID,
		Name:    s.User.Name,
		Expires: s.ExpiresAt,
		proof:   &proof{method: methodKeystone, token: token},
	}
	for _, role := range s.Roles {
		id.Roles = append(id.Roles, role.Name)
	}
	dependencies := []string{s.User.Domain.ID}
	switch {
	case s.Project != nil:
		id.Project = s.Project.ID
		dependencies = append(dependencies, s.Project.Domain.ID)
		id.Admin = cfg.isAdmin(id.Roles) && (s.IsAdminProject == nil || *s.IsAdminProject)
	case s.System != nil && s.System.All:
		id.Admin = cfg.isAdmin(id.Roles) || hasAny(id.Roles, []string{"reader"})
	case s.Domain != nil:
		dependencies = append(dependencies, s.Domain.ID)
	}
	if s.Trust != nil {
		dependencies = append(dependencies, s.Trust.ID, s.Trust.Trustor.ID, s.Trust.Trustee.ID)
	}
	if s.Credential != nil {
		dependencies = append(dependencies, s.Credential.ID)
	}
	id.proof.dependencies = dependencies
	return id
}
