package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"golang.org/x/sync/singleflight"
)

// maxAnswer bounds Keystone's answer, in bytes. Without the catalogue an answer is
// below 4 KiB.
const maxAnswer = 1 << 20

// keystone checks tokens by asking Keystone. A token is its own credential:
// Keystone's policy lets it validate itself, so the router needs no account.
type keystone struct {
	client *gophercloud.ServiceClient
	cache  *tokenCache
	flight singleflight.Group
	slots  chan struct{}
	cfg    *Config
	log    *slog.Logger
	metric *metrics
	now    func() time.Time
}

func newKeystone(cfg *Config, log *slog.Logger, m *metrics, now func() time.Time) (*keystone, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = cfg.Keystone.MaxRequests
	if cfg.Keystone.CAFile != "" {
		text, err := os.ReadFile(cfg.Keystone.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read [auth.keystone] ca_file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("[auth.keystone] ca_file %s holds no PEM certificate", cfg.Keystone.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	provider := &gophercloud.ProviderClient{HTTPClient: http.Client{
		Transport: boundedTransport{transport},
		// net/http would send X-Auth-Token along to wherever it is redirected.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	provider.UserAgent.Prepend("horizon-realtime")
	endpoint := strings.TrimRight(cfg.Keystone.URL, "/")
	if !strings.HasSuffix(endpoint, "/v3") {
		endpoint += "/v3"
	}
	return &keystone{
		client: &gophercloud.ServiceClient{ProviderClient: provider, Endpoint: endpoint + "/"},
		cache:  newTokenCache(cfg.Keystone.CacheSize, m, now),
		slots:  make(chan struct{}, cfg.Keystone.MaxRequests),
		cfg:    cfg, log: log, metric: m, now: now,
	}, nil
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

func (k *keystone) close() { k.client.HTTPClient.CloseIdleConnections() }

// identity checks one token: from the cache, or by asking Keystone once for all
// callers that wait for the same token.
//
// # Errors
//
// ErrUnauthorized if Keystone does not know the token, ErrExpired if the token has
// expired, ErrUnavailable if Keystone does not answer.
func (k *keystone) identity(ctx context.Context, token string) (*Identity, error) {
	key := hashToken(token)
	if id := k.cache.get(key); id != nil {
		return id, nil
	}
	// The first caller asks for all, so its context must not end the question.
	ctx = context.WithoutCancel(ctx)
	got, err, _ := k.flight.Do(string(key[:]), func() (any, error) { return k.ask(ctx, key, token) })
	if err != nil {
		return nil, err
	}
	return got.(*Identity), nil
}

// ask asks Keystone and keeps the answer. If a revocation came meanwhile, the
// answer may be older than the change, and Keystone is asked again.
func (k *keystone) ask(ctx context.Context, key tokenKey, token string) (*Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Keystone.Timeout)
	defer cancel()
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		k.metric.limit(limitRequests)
		return nil, fmt.Errorf("%w: no slot to ask Keystone within %s; [auth.keystone] max_requests is %d",
			ErrUnavailable, k.cfg.Keystone.Timeout, cap(k.slots))
	}
	for range 3 {
		since := k.cache.generation()
		asked := k.now()
		id, err := k.validate(ctx, token)
		if err != nil {
			return nil, err
		}
		id.proof.recheck = asked.Add(k.cfg.Keystone.CacheTTL)
		if k.cache.put(key, id, since) {
			return id, nil
		}
	}
	return nil, fmt.Errorf("%w: identities keep changing", ErrUnavailable)
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
		k.log.Warn("Keystone's policy does not let a token validate itself; identity:validate_token needs rule:token_subject")
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

// boundedTransport cuts answers off at maxAnswer.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// CloseIdleConnections makes http.Client.CloseIdleConnections work.
func (t boundedTransport) CloseIdleConnections() {
	t.RoundTripper.(*http.Transport).CloseIdleConnections()
}
