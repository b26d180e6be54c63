package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"horizon-realtime/router/event"
)

// maxClaimList bounds each list in a token's claims.
const maxClaimList = 200

// jwtVerifier checks JSON Web Tokens (RFC 7519). The claims `sub` (the user's id)
// and `exp` are required; `project_id`, `roles`, `name`, `domain_id` and
// `channels` (a list that narrows what may be heard) are optional.
type jwtVerifier struct {
	parser  *jwt.Parser
	keys    keySource
	cfg     *Config
	deleted *deletions
}

func newJWTVerifier(cfg *Config, from *files, log *slog.Logger, m *metrics, now func() time.Time) (*jwtVerifier, error) {
	v := &jwtVerifier{cfg: cfg, deleted: newDeletions(m, now)}
	options := []jwt.ParserOption{
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(cfg.JWT.Leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	}
	if cfg.JWT.Audience != "" {
		options = append(options, jwt.WithAudience(cfg.JWT.Audience))
	}
	if cfg.JWT.Issuer != "" {
		options = append(options, jwt.WithIssuer(cfg.JWT.Issuer))
	}
	v.parser = jwt.NewParser(options...)
	var err error
	v.keys, err = newKeySource(&cfg.JWT, from, log, m, now)
	return v, err
}

func newKeySource(cfg *JWTConfig, from *files, log *slog.Logger, m *metrics, now func() time.Time) (keySource, error) {
	if cfg.JWKSFile+cfg.JWKSURL != "" {
		set := newKeySet(cfg, log, m, now)
		return set, from.add("[auth.jwt] jwks_file", cfg.JWKSFile, set.use)
	}
	key := &fixedKey{}
	if cfg.HMACSecret != "" {
		key.set([]byte(cfg.HMACSecret))
	}
	err := from.add("[auth.jwt] hmac_secret_file", cfg.HMACSecretFile, key.useSecret)
	if err == nil {
		err = from.add("[auth.jwt] public_key_file", cfg.PublicKeyFile, key.usePublicKey)
	}
	return key, err
}

// identity checks one token: the signature first, then its times, audience and
// issuer, then its claims.
//
// # Errors
//
// ErrExpired if the token's age is all that is wrong with it, ErrUnavailable if
// the keys could not be read, ErrUnauthorized otherwise.
func (v *jwtVerifier) identity(ctx context.Context, token string) (*Identity, error) {
	claims := jwt.MapClaims{}
	_, err := v.parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		// RFC 7515 §4.1.11: an extension that must be understood, and is not.
		if _, ok := t.Header["crit"]; ok {
			return nil, errors.New("its header has crit")
		}
		got, err := v.keys.key(ctx, t)
		if err != nil {
			return nil, err
		}
		return fitting(got, t.Method.Alg())
	})
	if err != nil {
		return nil, jwtError(err)
	}
	id, err := v.read(token, claims)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	return id, nil
}

// jwtError wraps the library's error in one of ours. It can quote the token's
// text, so it is cut to a length that suits a log.
func jwtError(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	kind := ErrUnauthorized
	if errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenInvalidAudience) &&
		!errors.Is(err, jwt.ErrTokenInvalidIssuer) && !errors.Is(err, jwt.ErrTokenRequiredClaimMissing) &&
		!errors.Is(err, jwt.ErrTokenNotValidYet) && !errors.Is(err, jwt.ErrTokenUsedBeforeIssued) {
		kind = ErrExpired
	}
	return fmt.Errorf("%w: %.200s", kind, err)
}

// read makes an identity of verified claims. Names must match exactly: decoding
// into a struct would accept `Project_ID` for `project_id`.
func (v *jwtVerifier) read(token string, claims jwt.MapClaims) (*Identity, error) {
	r := claimReader{claims: claims}
	id := &Identity{
		User:    r.text("sub"),
		Project: r.text("project_id"),
		Roles:   r.list("roles"),
		Name:    r.text("name"),
		proof:   &proof{method: methodJWT, token: token},
	}
	id.proof.dependencies = append(id.proof.dependencies, r.text("domain_id"))
	if _, limited := claims["channels"]; limited {
		id.Channels = []event.Channel{}
		for _, name := range r.list("channels") {
			ch, err := event.ParsePattern(name)
			if err != nil {
				return nil, fmt.Errorf("claim channels: %.100q: %w", name, err)
			}
			id.Channels = append(id.Channels, ch)
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if id.User == "" {
		return nil, errors.New("claim sub is missing: it is the user's id")
	}
	expires, err := claims.GetExpirationTime()
	if err != nil || expires == nil {
		return nil, errors.New("claim exp is missing")
	}
	id.Expires = expires.Add(v.cfg.JWT.Leeway)
	id.Admin = v.cfg.isAdmin(id.Roles)
	issued, _ := claims.GetIssuedAt()
	for _, owner := range append(id.proof.dependencies, id.User, id.Project) {
		if v.deleted.covers(owner, issued) {
			return nil, errors.New("its user, project or domain was deleted after it was issued")
		}
	}
	return id, nil
}

// claimReader reads claims of a known type and keeps the first error.
type claimReader struct {
	claims jwt.MapClaims
	err    error
}

func (r *claimReader) complain(name, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("claim %s is not %s", name, want)
	}
}

func (r *claimReader) text(name string) string {
	value, present := r.claims[name]
	text, ok := value.(string)
	if present && value != nil && !ok {
		r.complain(name, "a string")
	}
	return text
}

func (r *claimReader) list(name string) []string {
	value, present := r.claims[name]
	if !present {
		return nil
	}
	items, ok := value.([]any)
	if !ok || len(items) > maxClaimList {
		r.complain(name, fmt.Sprintf("an array of at most %d strings", maxClaimList))
		return nil
	}
	list := make([]string, 0, len(items))
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			r.complain(name, "an array of strings")
		}
		list = append(list, text)
	}
	return list
}
