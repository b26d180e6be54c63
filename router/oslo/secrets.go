package oslo

import (
	"bytes"

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
	// maskedKeys are what oslo.utils takes for secrets before it logs a text
	// (strutils._SANITIZE_KEYS): a name that contains one, and what follows one in a text.
	maskedKeys = []string{
		"adminpass", "password", "adminpassword", "authtoken", "newpass", "authpassword", "secretuuid", "secret", "syspswd", "token",
		"configdrive", "chappassword", "encryptedkey", "privatekey", "fernetkey", "sslkey", "passphrase", "cephclusterfsid",
		"octaviaheartbeatkey", "rabbitcookie", "cephmanilaclientkey", "pacemakerremoteauthkey", "designaterndckey", "cephadminkey",
		"heatauthencryptionkey", "cephclientkey", "keystonecredential", "barbicansimplecryptokek", "cephrgwkey", "swifthashsuffix",
		"migrationsshkey", "cephmdskey", "cephmonkey",
	}
	// secretWords make a secret of every other name that contains one.
	secretWords = []string{
		"passwd",     //
		"passcode",   // keystone's one-time passwords
		"credential", // CADF's initiator.credential; ec2 and application credentials
		"catalog",    // service_catalog: the cloud's inner endpoints
		"kubeconfig", // magnum
	}
	// secretEndings make a secret of every name that ends in one.
	secretEndings = []string{
		"pass",      // new_pass, rescue_pass: what nova's _cleanse_dict looks for
		"accesskey", // manila's and S3's
		"apikey",
		"authkey",
		"encryptionkey",
		"sharedkey",
		"authorization",
		"cookie",
		"signature", // a URL's that S3 or Swift would serve to anybody
	}
	// secretNames are secrets by their whole name.
	secretNames = []string{
		"context", // a request's context, serialized into some object (pci_requests._context)
		"userdata",
		"injectedfiles",  // files put into a server as it is built
		"personality",    // the same, as nova's API calls them
		"connectioninfo", // cinder's attachments: JSON with the target's CHAP login
		"providerauth",   // the same, of the volume
		"initiatorauth",
		"psk", // neutron's VPN connections
	}
)

// judge decides what is a secret. It remembers what it decided about a key,
// because a cloud's messages have the same few hundred. One goroutine at a time
// may use it.
type judge struct {
	known [1024][2]verdict
}

// verdict is for the key in it; longer ones are judged each time.
type verdict struct {
	length uint8
	secret bool
	key    [46]byte
}

// secretKey reports whether a member with that key is a secret.
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
	var w word
	for i := 0; i < len(key); i++ {
		c, class := key[i], byteClasses[key[i]]
		if class == wide {
			c, class, i = fold(key, i)
		}
		switch class {
		case letter:
			w.letter(c)
		case digit:
			w.digit()
		}
	}
	return w.secret()
}

// secretText returns how many bytes of a string may stay: -1 for all of them, unless a
// token, a private key or what follows a secret's name is in it.
func secretText(text []byte, v json.Value) (keep int) {
	keep = len(text)
	if mayTell(text) {
		keep = secretFrom(text, true)
		if keep < len(text) && isNamed(v, text) {
			keep = secretFrom(text, false)
		}
	}
	if keep = tokenAt(text[:keep]); keep == len(text) {
		return -1
	}
	return keep
}
