package plugin

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"horizon-realtime/router/plugin/guest/guesttest"
	"horizon-realtime/router/plugin/label"
	"horizon-realtime/router/testwait"
)

// signer signs plugins for a router that requires it.
type signer struct {
	public ed25519.PublicKey
	key    ed25519.PrivateKey
}

func newSigner(t testing.TB) signer {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{public, key}
}

// config is a host's that wants this signer's signatures.
func (s signer) config(t testing.TB) Config {
	c := testConfig(t)
	c.CacheDir = filepath.Join(t.TempDir(), "cache")
	c.RequireSignature, c.PublicKeys = true, []string{base64.StdEncoding.EncodeToString(s.public)}
	return c
}

// install puts a module with a label and its signature into a folder.
func (s signer) install(t testing.TB, dir, file string, l label.Label, text string) {
	t.Helper()
	module := label.Put(guesttest.Assemble(t, text), l)
	install(t, dir, file+".sig", ed25519.Sign(s.key, l.Signed(module)))
	install(t, dir, file, module)
}

// refusals are those of the files, by their names.
func refusals(h *Host) map[string]string {
	all := make(map[string]string)
	for _, s := range h.Status() {
		if s.Refused != "" {
			all[s.File] = strings.TrimPrefix(s.Refused, "plugin "+s.File+": ")
		}
	}
	return all
}

func TestSignatures(t *testing.T) {
	good, stranger := newSigner(t), newSigner(t)
	der, err := x509.MarshalPKIXPublicKey(good.public)
	if err != nil {
		t.Fatal(err)
	}
	l := label.Label{Name: "a", Version: "1.0"}
	module := label.Put(guesttest.Assemble(t, guesttest.Saying("1")), l)
	sign := func(by signer, what []byte) []byte { return ed25519.Sign(by.key, what) }
	const other = "its signature is by none of [plugins] public_keys, or of another file, name or version; sign this file again, or add the signer's key"
	for spelling, key := range map[string]string{
		"raw": base64.StdEncoding.EncodeToString(good.public),
		"DER": base64.StdEncoding.EncodeToString(der),
		"PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
	} {
		for name, c := range map[string]struct {
			signature []byte
			refusal   string
		}{
			"good":      {sign(good, l.Signed(module)), ""},
			"in base64": {[]byte(base64.StdEncoding.EncodeToString(sign(good, l.Signed(module))) + "\n"), ""},
			"none":      {nil, "it has no signature; put one beside it, into the same name with .sig behind it, or set [plugins] require_signature = false"},
			"stranger":  {sign(stranger, l.Signed(module)), other},
			"more":      {sign(good, append(l.Signed(module), 0)), other},
			"name":      {sign(good, label.Label{Name: "b", Version: "1.0"}.Signed(module)), other},
			"version":   {sign(good, label.Label{Name: "a", Version: "1"}.Signed(module)), other},
			"bytes":     {sign(good, module), other}, // as version 0.1 had it
			"nonsense":  {[]byte("signed, the boss"), "its signature is no Ed25519 signature: 64 bytes, raw or in base64"},
			"novel":     {make([]byte, 5000), "read its signature: it is over the limit of 1024 bytes"},
		} {
			t.Run(spelling+" "+name, func(t *testing.T) {
				config := good.config(t)
				config.CacheDir, config.PublicKeys = testCache, []string{key}
				if c.signature != nil {
					write(t, filepath.Join(config.Dir, "10-a.wasm.sig"), c.signature)
				}
				h := testHost(t, config, nil, "10-a.wasm", module)
				if got := refusals(h)["10-a.wasm"]; got != c.refusal {
					t.Errorf("got  %s\nwant %s", got, c.refusal)
				}
			})
		}
	}
}

// A signature that arrives after its file brings the plugin up.
func TestSignatureIsAChangeOfTheFile(t *testing.T) {
	s, l := newSigner(t), label.Label{Name: "a", Version: "1"}
	c := s.config(t)
	module := label.Put(guesttest.Assemble(t, guesttest.Saying("1")), l)
	h := testHost(t, c, nil, "10-a.wasm", module)
	if s := h.Status()[0]; s.State != Refused {
		t.Fatalf("got %+v", s)
	}
	write(t, filepath.Join(c.Dir, "10-a.wasm.sig"), ed25519.Sign(s.key, l.Signed(module)))
	reload(t, h)
	if s := h.Status()[0]; s.State != Running || s.Version != "1" {
		t.Errorf("got %+v", s)
	}
}

// A signed plugin does not get another's grants by its file's name.
func TestAPluginIsWhatItSaysItIs(t *testing.T) {
	s := newSigner(t)
	c := s.config(t)
	admin := map[string]Settings{"nova": {Grants: []string{"admin"}}, "other": {Grants: []string{"admin"}}}
	h := testHost(t, c, admin)
	s.install(t, c.Dir, "50-nova.wasm", label.Label{Name: "nova", Version: "1"}, guesttest.Saying("5"))
	reload(t, h)
	// The same file, with its signature, as another plugin, and before the one that runs.
	for _, to := range []string{"10-other", "10-nova"} {
		for _, ending := range []string{".wasm", ".wasm.sig"} {
			text, err := os.ReadFile(filepath.Join(c.Dir, "50-nova"+ending))
			if err != nil {
				t.Fatal(err)
			}
			install(t, c.Dir, to+ending, text)
		}
	}
	// And one that is signed, but says nothing of itself.
	module := guesttest.Assemble(t, guesttest.Saying("1"))
	install(t, c.Dir, "20-plain.wasm", module)
	install(t, c.Dir, "20-plain.wasm.sig", ed25519.Sign(s.key, label.Label{}.Signed(module)))
	reload(t, h)
	want := map[string]string{
		"10-other.wasm": "it is the plugin nova, version 1, under another name; call the file NN-nova.wasm",
		"10-nova.wasm":  `its name "nova" is taken by 50-nova.wasm; rename or remove one of them`,
		"20-plain.wasm": errUnlabelled.Error(),
	}
	got := refusals(h)
	for file, why := range want {
		if got[file] != why {
			t.Errorf("%s: got %q, want %q", file, got[file], why)
		}
	}
	if len(got) != len(want) || payloads(t, testRunner(t, h)) != "nova: public/a||5" {
		t.Errorf("got %v", got)
	}
	// Once the name is free, the next has it.
	if err := os.Remove(filepath.Join(c.Dir, "50-nova.wasm")); err != nil {
		t.Fatal(err)
	}
	reload(t, h)
	if got := refusals(h); got["10-nova.wasm"] != "" {
		t.Errorf("got %v", got)
	}
}

// Where nothing has to be signed, a label is still believed, and none is needed.
func TestLabelsWithoutSignatures(t *testing.T) {
	module := guesttest.Assemble(t, guesttest.Saying("1"))
	h := testHost(t, testConfig(t), nil, "10-a.wasm", module,
		"20-b.wasm", label.Put(module, label.Label{Name: "b", Version: "3.1"}), "30-c.wasm", label.Put(module, label.Label{Name: "b", Version: "3.1"}),
		"40-d.wasm", label.Put(module, label.Label{Name: "d"}))
	got := refusals(h)
	if len(got) != 2 || !strings.HasPrefix(got["30-c.wasm"], "it is the plugin b, version 3.1, under another name") ||
		!strings.HasPrefix(got["40-d.wasm"], `its custom section "hr_plugin": the version "" is none`) {
		t.Errorf("got %v", got)
	}
	if s := h.Status(); s[0].Version != "" || s[1].Version != "3.1" {
		t.Errorf("got %+v", s)
	}
}

func TestOlderVersionsAreRefused(t *testing.T) {
	s := newSigner(t)
	c := s.config(t)
	put := func(version string) {
		s.install(t, c.Dir, "10-a.wasm", label.Label{Name: "a", Version: version}, guesttest.Saying(version[:1]))
	}
	run := func() (*Host, func()) {
		h := newTestHost(t, c, nil, slog.New(slog.DiscardHandler))
		reload(t, h)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx) }()
		return h, func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			h.Close()
		}
	}
	// Whoever only looks at a newer version does not forbid the older one.
	put("3.0")
	testHost(t, c, nil)
	put("2.0")
	h, stop := run()
	if got := refusals(h); len(got) != 0 {
		t.Fatalf("got %v", got)
	}
	note := filepath.Join(c.CacheDir, "versions", "a")
	testwait.Until(t, "the version is noted down", func() bool { _, err := os.Stat(note); return err == nil })
	put("1.9.9")
	want := "it is version 1.9.9, and 2.0 has run here; install a newer one, or remove " + note + " to go back on purpose"
	testwait.Until(t, want, func() bool { return refusals(h)["10-a.wasm"] == want })
	if got := payloads(t, testRunner(t, h)); got != "a: public/a||2" {
		t.Errorf("the version before it does not run on: %s", got)
	}
	stop()
	// Nor after a restart, until somebody wants it.
	h, stop = run()
	if got := refusals(h)["10-a.wasm"]; got != want {
		t.Errorf("got %q", got)
	}
	if err := h.Release("a"); err == nil {
		t.Error("a release lets an older version in")
	}
	if err := os.Remove(note); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the older version is loaded", func() bool { return h.Status()[0].State == Running })
	stop()
}
