package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"
)

// keySource finds the key that a token must be signed with: one fixed key, or
// one of a set that changes.
type keySource interface {
	// key returns a key or a jwt.VerificationKeySet. It fails with ErrUnavailable
	// if the keys could not be read.
	key(ctx context.Context, token *jwt.Token) (any, error)
}

// fixedKey is the key of a file or of the configuration.
type fixedKey struct{ current atomic.Pointer[any] }

func (k *fixedKey) set(key any) { k.current.Store(&key) }

func (k *fixedKey) key(context.Context, *jwt.Token) (any, error) {
	return *k.current.Load(), nil
}

func (k *fixedKey) useSecret(text []byte) error {
	secret := bytes.TrimRight(text, "\r\n")
	if len(secret) < minSecret {
		return fmt.Errorf("it has %d bytes: at least %d, such as `openssl rand -hex 32` gives", len(secret), minSecret)
	}
	k.set(bytes.Clone(secret))
	return nil
}

func (k *fixedKey) usePublicKey(text []byte) error {
	key, err := parsePublicKey(text)
	if err == nil {
		k.set(key)
	}
	return err
}

// minRSABits is the least that NIST SP 800-131A allows.
const minRSABits = 2048

// algorithmsOf lists the algorithms that a key may verify. The key decides, never
// the token: a public key is not an HMAC secret, and `none` belongs to no key.
func algorithmsOf(key any) []string {
	switch k := key.(type) {
	case []byte:
		return []string{"HS256", "HS384", "HS512"}
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return nil
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		// RFC 7518 §3.4 ties each algorithm to one curve.
		switch k.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}

// fitting keeps those of a keySource's keys that may verify alg.
func fitting(got any, alg string) (any, error) {
	fits := func(key any) bool { return slices.Contains(algorithmsOf(key), alg) }
	set, ok := got.(jwt.VerificationKeySet)
	if !ok {
		if !fits(got) {
			return nil, fmt.Errorf("the algorithm %.16q is not one of the key's", alg)
		}
		return got, nil
	}
	var keys []jwt.VerificationKey
	for _, key := range set.Keys {
		if fits(key) {
			keys = append(keys, key)
		}
	}
	if keys == nil {
		return nil, fmt.Errorf("the algorithm %.16q is not one of any key's", alg)
	}
	return jwt.VerificationKeySet{Keys: keys}, nil
}

func parsePublicKey(text []byte) (any, error) {
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("it holds no PEM block; `openssl pkey -pubout` writes one")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("it holds several PEM blocks; for several keys use jwks_file")
	}
	var key any
	var err error
	switch {
	case strings.Contains(block.Type, "PRIVATE KEY"):
		return nil, errors.New("it holds a private key; the router needs only the public one, which `openssl pkey -pubout` writes")
	case block.Type == "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			key = cert.PublicKey
		}
	case block.Type == "RSA PUBLIC KEY":
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		key, err = x509.ParsePKIXPublicKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("parse its %.40s: %w", block.Type, err)
	}
	if algorithmsOf(key) == nil {
		return nil, fmt.Errorf("no signature is accepted from a key like this; use RSA of %d bits or more, ECDSA on P-256, P-384 or P-521, or Ed25519", minRSABits)
	}
	return key, nil
}
