//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"horizon-realtime/router/rabbit/rabbittest"
)

// TestDemo runs `demo` as `make run` does, and drives its page in Chromium:
// buttons, keyboard, the fallbacks, a connection that breaks.
func TestDemo(t *testing.T) {
	ports, err := rabbittest.FreePorts(2)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "router.toml")
	config := fmt.Sprintf("[server]\nlisten = \"127.0.0.1:%d\"\n[admin]\nlisten = \"127.0.0.1:%d\"\n[plugins]\ndir = %q\n",
		ports[0], ports[1], plugins)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	demo := start(t, binary, "demo", "--config-file", file)
	want := fmt.Sprintf("open http://127.0.0.1:%d/project/instances", ports[0])
	if line := demo.line(); line != want {
		t.Fatalf("demo said %q, want %q", line, want)
	}
	page := start(t, "node", "../demo/e2e/page.mjs", want[len("open "):])
	for line := range page.lines {
		t.Log(line)
	}
	<-page.done
	if code := page.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("the page's test ended with code %d\n%s", code, page.log())
	}
}
