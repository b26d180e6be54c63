package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// Bounds of a token, in bytes. A JWT with long lists of roles and channels stays
// below 8 KiB. Keystone's own bound ([DEFAULT] max_token_size) is 255 unless an
// operator who needs JWS tokens raises it.
const (
	maxToken         = 16 << 10
	maxKeystoneToken = 4 << 10
	minKeystoneToken = 32
)

// keystoneShaped reports whether Keystone can have made a token: a Fernet token,
// or a JWS with Keystone's claims. Anybody can imitate the shape; the check keeps
// everything else from costing a question.
func keystoneShaped(token string, keystoneClaims bool) bool {
	if len(token) < minKeystoneToken || len(token) > maxKeystoneToken {
		return false
	}
	return keystoneClaims || isFernet(token)
}

// isFernet reports whether a token is base64url and starts like a Fernet token:
// with the version 0x80 and a timestamp of 64 bits.
func isFernet(token string) bool {
	if !strings.HasPrefix(token, "gAAAAA") {
		return false
	}
	for _, c := range []byte(strings.TrimRight(token, "=")) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
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
