package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/regular"
)

const (
	maxJWKSKeys = 100
	jwksTimeout = 5 * time.Second
	// unknownKeyPause is the least time between two readings for unknown key
	// ids, since anybody can make up a key id.
	unknownKeyPause = 10 * time.Second
	firstBackOff    = time.Second
)

// keySet is a JSON Web Key Set (RFC 7517) in a file or at a URL. It is read again
// periodically, and when a token names an unknown key, which is how a rotation
// shows. If a reading fails, the last good set stays.
type keySet struct {
	load    func(ctx context.Context) ([]byte, error)
	where   string
	every   time.Duration
	log     *slog.Logger
	metrics *metrics
	now     func() time.Time

	current atomic.Pointer[keyfunc.Keyfunc]

	mu      sync.Mutex // one reading at a time
	tried   time.Time
	lastErr error
}

func newKeySet(cfg *JWTConfig, log *slog.Logger, m *metrics, now func() time.Time) *keySet {
	s := &keySet{every: cfg.JWKSRefresh, log: log, metrics: m, now: now}
	if cfg.JWKSFile != "" {
		s.where = cfg.JWKSFile
		s.load = func(context.Context) ([]byte, error) { return regular.Read(cfg.JWKSFile, regular.Most) }
		return s
	}
	s.where = cfg.JWKSURL
	s.load = func(ctx context.Context) ([]byte, error) { return fetchBounded(ctx, cfg.JWKSURL) }
	return s
}

// run reads a set's URL at once and then every s.every, sooner after a failure, until
// ctx is done. Waits vary by a tenth, so that routers started together drift
// apart.
func (s *keySet) run(ctx context.Context) {
	backOff := firstBackOff
	for {
		wait := s.every
		if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
			wait = min(backOff, s.every)
			backOff = min(2*backOff, s.every)
			s.log.Warn("reading the key set", "from", s.where, "error", err, "again_in", wait)
		} else {
			backOff = firstBackOff
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait + time.Duration((rand.Float64()-0.5)*0.2*float64(wait))):
		}
	}
}

// refresh reads the set once.
func (s *keySet) refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refreshLocked(ctx)
}

func (s *keySet) refreshLocked(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, jwksTimeout)
	defer cancel()
	text, err := s.load(ctx)
	if err != nil {
		s.metrics.keys.WithLabelValues(result(err)).Inc()
	} else {
		err = s.use(text)
	}
	s.tried, s.lastErr = s.now(), err
	return err
}

// use replaces the set. It may be called concurrently.
func (s *keySet) use(text []byte) error {
	keys, err := parseKeySet(text, s.log)
	s.metrics.keys.WithLabelValues(result(err)).Inc()
	if err == nil {
		s.current.Store(&keys)
	}
	return err
}

// key finds the token's key by its `kid`. A token without a kid is tried against
// all keys. Other headers that name keys (jku, jwk, x5u, x5c) are ignored.
func (s *keySet) key(ctx context.Context, token *jwt.Token) (any, error) {
	key, err := s.lookUp(token)
	if err == nil || !errors.Is(err, jwkset.ErrKeyNotFound) && !errors.Is(err, ErrUnavailable) {
		return key, err
	}
	if err := s.refreshOnDemand(ctx); err != nil {
		return nil, fmt.Errorf("%w: the key set does not hold the token's key and could not be read again: %w", ErrUnavailable, err)
	}
	return s.lookUp(token)
}

func (s *keySet) lookUp(token *jwt.Token) (any, error) {
	keys := s.current.Load()
	if keys == nil {
		return nil, fmt.Errorf("%w: the key set has not been read yet", ErrUnavailable)
	}
	return (*keys).Keyfunc(token)
}

// refreshOnDemand reads the set unless that was tried a moment ago, and returns
// the error of the last reading.
func (s *keySet) refreshOnDemand(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tried.IsZero() || s.now().Sub(s.tried) >= unknownKeyPause {
		return s.refreshLocked(context.WithoutCancel(ctx))
	}
	return s.lastErr
}

// parseKeySet keeps the keys that can verify a signature. As RFC 7517 §5 asks, a
// key that it does not understand does not spoil the others. Symmetric keys are
// left out: a set is public, a secret is not.
func parseKeySet(text []byte, log *slog.Logger) (keyfunc.Keyfunc, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("parse the key set: %w", err)
	}
	if len(set.Keys) > maxJWKSKeys {
		return nil, fmt.Errorf("the key set has %d keys, over the limit of %d", len(set.Keys), maxJWKSKeys)
	}
	storage, usable := jwkset.NewMemoryStorage(), 0
	for i, raw := range set.Keys {
		key, err := parseKey(raw)
		if err != nil {
			log.Warn("leaving out a key of the key set", "index", i, "error", err)
			continue
		}
		if err := storage.KeyWrite(context.Background(), key); err != nil {
			return nil, fmt.Errorf("keep a key of the key set: %w", err)
		}
		usable++
	}
	if usable == 0 {
		return nil, errors.New("the key set has no key that can verify a signature")
	}
	return keyfunc.New(keyfunc.Options{Ctx: context.Background(), Storage: storage})
}

func parseKey(raw json.RawMessage) (jwkset.JWK, error) {
	key, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return jwkset.JWK{}, err
	}
	if use := key.Marshal().USE; use != "" && use != jwkset.UseSig {
		return jwkset.JWK{}, fmt.Errorf("it is for %q, not for signatures", use)
	}
	if algorithmsOf(key.Key()) == nil {
		return jwkset.JWK{}, fmt.Errorf("no signature is accepted from a %T of its kind or size", key.Key())
	}
	return key, nil
}

func fetchBounded(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	// The set is read rarely, so no connection is kept.
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch the key set: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch the key set: status %d", resp.StatusCode)
	}
	return regular.All(resp.Body, 0, regular.Most)
}
