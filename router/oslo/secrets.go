package oslo

import (
	"bytes"
	"strings"

	"horizon-realtime/router/json"
)

// contextKept are the members of the actor's context that plugins may see: who
// acted and for which request. Everything else under `_context_` goes: the token
// and the service catalogue, which older oslo.messaging publishes whole, the
// user's address, and whatever a service will add to its context tomorrow.
var contextKept = map[string]bool{
	"_context_request_id":        true,
	"_context_global_request_id": true,
	"_context_timestamp":         true,
	"_context_project_id":        true,
	"_context_project":           true,
	"_context_project_name":      true,
	"_context_project_domain":    true,
	"_context_tenant_id":         true, // project, by its name of before 2015
	"_context_tenant":            true,
	"_context_tenant_name":       true,
	"_context_user_id":           true,
	"_context_user":              true,
	"_context_user_name":         true,
	"_context_user_domain":       true,
	"_context_domain_id":         true,
	"_context_domain":            true,
	"_context_roles":             true,
	"_context_is_admin":          true,
}

// A member is a secret by its key's name. Names are compared in lower case and
// without separators, so that `adminPass`, `admin_pass` and `X-Auth-Token` need
// one spelling each. The lists rather hide too much: what they hide, a panel
// can still ask the service for, with the user's own rights.
var (
	// secretWords make a secret of every name that contains one.
	secretWords = []string{
		"token",      // auth_token, x-subject-token, token_info: keystone's; and any other
		"password",   // nova, trove, ironic's ipmi_password, cinder's auth_password (CHAP)
		"passwd",     //
		"passphrase", //
		"passcode",   // keystone's one-time passwords
		"secret",     // ec2 and application credentials, designate's TSIG keys, barbican
		"credential", // CADF's initiator.credential
		"privatekey", // a key pair that nova made
		"catalog",    // service_catalog: the cloud's inner endpoints
		"kubeconfig", // magnum
	}
	// secretEndings make a secret of every name that ends in one.
	secretEndings = []string{
		"pass", // adminPass, new_pass, rescue_pass: what nova's _cleanse_dict looks for
	}
	// secretNames are secrets by their whole name.
	secretNames = []string{
		"context", // a request's context, serialized into some object (pci_requests._context)
		"userdata",
		"configdrive",    // user data, as ironic gets it
		"injectedfiles",  // files put into a server as it is built
		"personality",    // the same, as nova's API calls them
		"connectioninfo", // cinder's attachments: JSON with the target's CHAP login
		"providerauth",   // the same, of the volume
		"initiatorauth",
		"accesskey", // manila's and S3's
		"apikey",
		"authkey",
		"encryptionkey",
		"sharedkey",
		"psk", // neutron's VPN connections
		"authorization",
		"cookie",
		"setcookie",
		"signature",
	}
)

// A value is a secret by its look, whatever it is called, where it contains one
// of these. A token needs more than minToken bytes, which spares the search in
// most strings: ids have 32 or 36 bytes, a request's id has 40.
const (
	fernetToken = "gAAAAA"           // keystone's default: version 0x80, then a time before 2106
	jwsToken    = "eyJ"              // keystone's other tokens, and any JWT: base64 of {"
	privateKey  = "PRIVATE KEY-----" // PEM
	minToken    = 40
)

// judge decides what is a secret. It remembers what it decided about a key,
// because a cloud's messages have the same few hundred. One goroutine at a time
// may use it.
type judge struct {
	known [1024][2]verdict
	text  []byte
}

// verdict is for the key in it; longer ones are judged each time.
type verdict struct {
	length uint8
	secret bool
	key    [46]byte
}

// secretKey tells whether a member with that key is a secret.
func (j *judge) secretKey(key []byte, hash uint32) bool {
	if len(key) > len(verdict{}.key) {
		return isSecretName(key)
	}
	pair := &j.known[hash%uint32(len(j.known))]
	first, second := &pair[0], &pair[1]
	if first.about(key) {
		return first.secret
	}
	if second.about(key) {
		return second.secret
	}
	*second = *first
	first.length = uint8(len(key))
	copy(first.key[:], key)
	first.secret = isSecretName(key)
	return first.secret
}

func (v *verdict) about(key []byte) bool {
	return int(v.length) == len(key) && string(v.key[:len(key)]) == string(key)
}

func isSecretName(key []byte) bool {
	if bytes.HasPrefix(key, []byte("_context_")) {
		return !contextKept[string(key)]
	}
	var buffer [64]byte
	name := normalise(buffer[:0], key)
	for _, word := range secretWords {
		if bytes.Contains(name, []byte(word)) {
			return true
		}
	}
	for _, ending := range secretEndings {
		if bytes.HasSuffix(name, []byte(ending)) {
			return true
		}
	}
	for _, whole := range secretNames {
		if string(name) == whole {
			return true
		}
	}
	return false
}

// normalise appends a key without its case and its separators.
func normalise(dst, key []byte) []byte {
	for _, c := range key {
		switch {
		case 'A' <= c && c <= 'Z':
			dst = append(dst, c-'A'+'a')
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			dst = append(dst, c)
		}
	}
	return dst
}

// secretText tells whether a string holds a token or a private key, or is
// itself JSON, or Python's way of writing a dict, that has a secret member.
func (j *judge) secretText(text []byte, v json.Value) bool {
	if len(text) <= minToken && (len(text) == 0 || text[0] != '{' && text[0] != '[' && text[0] != '\\') {
		return false
	}
	if _, plain := v.Plain(); !plain {
		j.text = v.AppendTo(j.text[:0])
		text = j.text
	}
	if (text[0] == '{' || text[0] == '[') && namesSecret(text) {
		return true
	}
	return len(text) > minToken &&
		(bytes.Contains(text, []byte(fernetToken)) || isJWS(text) || bytes.Contains(text, []byte(privateKey)))
}

// namesSecret looks for a secret's name before each colon.
func namesSecret(text []byte) bool {
	for i := 0; ; i++ {
		k := bytes.IndexByte(text[i:], ':')
		if k < 0 {
			return false
		}
		i += k
		end := i
		for end > 0 && strings.IndexByte(` "'\`, text[end-1]) >= 0 {
			end--
		}
		start := end
		for start > 0 && isWord(text[start-1]) {
			start--
		}
		if start < end && isSecretName(text[start:end]) {
			return true
		}
	}
}

func isWord(b byte) bool {
	return 'a' <= b|0x20 && b|0x20 <= 'z' || '0' <= b && b <= '9' || b == '_' || b == '-'
}

// isJWS reports whether text holds a token: two parts of base64url of some length,
// each followed by a dot. Every byte is looked at once or twice, however often a part
// begins like a token.
func isJWS(text []byte) bool {
	const shortest = 10
	for {
		i := bytes.Index(text, []byte(jwsToken))
		if i < 0 {
			return false
		}
		text = text[i:]
		header := wordLength(text)
		if header >= shortest && header < len(text) && text[header] == '.' {
			claims := wordLength(text[header+1:])
			end := header + 1 + claims
			if claims >= shortest && end < len(text) && text[end] == '.' {
				return true
			}
		}
		text = text[header:] // what begins in the header has the same end, and is shorter
	}
}

// wordLength is how many bytes of base64url text begins with.
func wordLength(text []byte) int {
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return n
}
