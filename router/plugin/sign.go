package plugin

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/regular"
)

// keyring is the public keys whose signatures count.
type keyring []ed25519.PublicKey

// parseKeys reads Ed25519 public keys: the 32 bytes in base64, or what
// `openssl pkey -pubout` prints, whole or without its first and last line.
func parseKeys(texts []string) (keyring, error) {
	var keys keyring
	for i, text := range texts {
		key, err := parseKey(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func parseKey(text string) (ed25519.PublicKey, error) {
	var raw []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		raw = block.Bytes
	} else {
		var err error
		if raw, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, errors.New("it is neither base64 nor PEM")
		}
	}
	if len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	key, err := x509.ParsePKIXPublicKey(raw)
	if ed, ok := key.(ed25519.PublicKey); ok && err == nil {
		return ed, nil
	}
	return nil, errors.New("it is no Ed25519 public key; make one with `openssl genpkey -algorithm ed25519`")
}

// verify checks the detached signature beside the file at path, over the module's name
// and version and the very bytes that are going to be loaded.
func (k keyring) verify(path string, l label.Label, module []byte) error {
	const maxSignatureFile = 1024
	signature, err := regular.Read(path+".sig", maxSignatureFile)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it has no signature; put one beside it, into the same name with .sig behind it, or set [plugins] require_signature = false")
	}
	if err != nil {
		return fmt.Errorf("read its signature: %w", err)
	}
	if len(signature) != ed25519.SignatureSize {
		if signature, err = base64.StdEncoding.DecodeString(string(bytes.TrimSpace(signature))); err != nil || len(signature) != ed25519.SignatureSize {
			return fmt.Errorf("its signature is no Ed25519 signature: %d bytes, raw or in base64", ed25519.SignatureSize)
		}
	}
	if l == (label.Label{}) {
		return errUnlabelled
	}
	signed := l.Signed(module)
	for _, key := range k {
		if ed25519.Verify(key, signed, signature) {
			return nil
		}
	}
	return errors.New("its signature is by none of [plugins] public_keys, or of another file, name or version; sign this file again, or add the signer's key")
}
