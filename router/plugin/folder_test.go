//go:build unix

package plugin

import (
	"crypto/ed25519"
	"encoding/base64"
	"path/filepath"
	"syscall"
	"testing"

	"horizon-realtime/router/plugin/guest/guesttest"
)

// A named pipe in place of a file, to which nobody ever writes, holds nobody up.
func TestPipesAreNotWaitedFor(t *testing.T) {
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(t)
	c.RequireSignature, c.PublicKeys = true, []string{base64.StdEncoding.EncodeToString(public)}
	for _, name := range []string{"10-a.wasm", "20-b.wasm.sig"} {
		if err := syscall.Mkfifo(filepath.Join(c.Dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := testHost(t, c, nil, "20-b.wasm", guesttest.Saying("1"))
	for i, want := range []string{
		"plugin 10-a.wasm: read it: " + filepath.Join(c.Dir, "10-a.wasm") + " is a named pipe and no regular file",
		"plugin 20-b.wasm: read its signature: " + filepath.Join(c.Dir, "20-b.wasm.sig") + " is a named pipe and no regular file",
	} {
		if s := h.Status()[i]; s.State != Refused || s.Refused != want {
			t.Errorf("got %+v", s)
		}
	}
}
