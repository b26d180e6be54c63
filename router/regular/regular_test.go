//go:build unix

package regular

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestReadTakesRegularFilesOnly(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("text"), []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("text", at("link")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("pipe", at("to-pipe")); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for path, want := range map[string]string{
		at("text"):    "12345",
		at("link"):    "12345",
		at("pipe"):    "named pipe and no regular file",
		at("to-pipe"): "named pipe and no regular file",
		at("socket"):  "socket and no regular file",
		dir:           "folder and no regular file",
		"/dev/zero":   "device and no regular file",
		at("none"):    "no such file or directory",
	} {
		text, err := Read(path, 5)
		got := string(text)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, want) {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if text, err := Read(at("text"), 4); err == nil || err.Error() != "it is over the limit of 4 bytes" {
		t.Errorf("got %q, %v", text, err)
	}
}
