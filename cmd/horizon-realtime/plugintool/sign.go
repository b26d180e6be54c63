package plugintool

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/cli"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/regular"
)

func newKeygen(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key to sign plugins with",
		Long: `Make an Ed25519 key: the private half in FILE, which you keep secret, and the public
half on standard output, for [plugins] public_keys.`,
		Example: "  horizon-realtime plugin keygen signing.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := newKey(args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				File      string `json:"file"`
				PublicKey string `json:"public_key"`
			}{args[0], public}
			return o.print(out, result, func() {
				fmt.Fprintf(out, "[plugins]\nrequire_signature = true\npublic_keys = [%q]\n", public)
			})
		},
	}
}

func newSign(o *options) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign FILE.wasm --key KEY",
		Short: "Sign a plugin for routers that require it",
		Long: `Write FILE.wasm.sig, the detached Ed25519 signature that a router with
require_signature = true expects beside the plugin. It covers the name and the version
that the module carries, and all of its bytes. KEY is what keygen made, or what
` + "`openssl genpkey -algorithm ed25519`" + ` prints.`,
		Example: "  horizon-realtime plugin sign 50-volumes.wasm --key signing.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return cli.Mistake("--key is missing: name the private key; `%s` makes one", "horizon-realtime plugin keygen FILE")
			}
			signature, err := sign(args[0], key)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			return o.print(out, signature, func() {
				fmt.Fprintf(out, "%s: copy it with the plugin; it is for %s, version %s, by the public key %s\n", signature.File, signature.Name, signature.Version, signature.PublicKey)
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the file with the private key")
	return cmd
}

// newKey makes an Ed25519 key: the private half in the file, for its owner's
// eyes only and in PEM as openssl writes it, the public half as text for
// [plugins] public_keys.
//
// # Errors
//
// The file is there already, or cannot be written.
func newKey(file string) (public string, err error) {
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", fmt.Errorf("encode the key: %w", err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s exists already, and a key is not overwritten; choose another name", file)
	}
	if err != nil {
		return "", fmt.Errorf("write the key: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write the key: %w", err)
	}
	return base64.StdEncoding.EncodeToString(pub), nil
}

// Signature is what Sign made.
type Signature struct {
	// File holds the signature, in base64.
	File string `json:"file"`
	// Name and Version are what it says of the plugin.
	Name    string `json:"name"`
	Version string `json:"version"`
	// PublicKey is what [plugins] public_keys has to name.
	PublicKey string `json:"public_key"`
}

// sign writes the detached signature of a module beside it, under the module's
// name with .sig behind it.
//
// # Errors
//
// The key or the module cannot be read or is none, others can read the key, or
// the signature cannot be written.
func sign(file, keyFile string) (*Signature, error) {
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	module, err := readWasm(file)
	if err != nil {
		return nil, err
	}
	l, err := label.Of(module)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	case l.Name == "":
		return nil, fmt.Errorf("%s carries no name and version, which a signature covers; write them: horizon-realtime plugin label %s --version VERSION", file, file)
	case l.Name != nameOf(file):
		return nil, fmt.Errorf("%s is the plugin %s, version %s, so a router would not load it under this name; call it NN-%s.wasm", file, l.Name, l.Version, l.Name)
	}
	s := &Signature{File: file + ".sig", Name: l.Name, Version: l.Version, PublicKey: base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))}
	text := base64.StdEncoding.EncodeToString(ed25519.Sign(key, l.Signed(module))) + "\n"
	part := s.File + ".part"
	defer os.Remove(part)
	if err := os.WriteFile(part, []byte(text), 0o644); err != nil {
		return nil, fmt.Errorf("write the signature: %w", err)
	}
	if err := os.Rename(part, s.File); err != nil {
		return nil, fmt.Errorf("put the signature into place: %w", err)
	}
	return s, nil
}

func readKey(file string) (ed25519.PrivateKey, error) {
	const makeOne = "make one with `horizon-realtime plugin keygen FILE`"
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no key %s; %s", file, makeOne)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the key: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("the key %s has mode %#o, so others can sign as you do; chmod 600 it", file, mode)
	}
	text, err := regular.Read(file, regular.Most)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	block, _ := pem.Decode(text)
	switch {
	case block == nil:
		return nil, fmt.Errorf("%s is no private key in PEM; %s", file, makeOne)
	case block.Type != "PRIVATE KEY":
		return nil, fmt.Errorf("%s holds a %q and no unencrypted \"PRIVATE KEY\"; %s", file, block.Type, makeOne)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the key %s: %w; %s", file, err, makeOne)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is no Ed25519 key but a %T; %s", file, key, makeOne)
	}
	return private, nil
}
