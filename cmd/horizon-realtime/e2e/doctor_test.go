//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"horizon-realtime/router/rabbit/rabbittest"
)

// TestDoctor runs it beside a router and a broker that work, and then without
// either.
func TestDoctor(t *testing.T) {
	broker := rabbittest.Start(t)
	r := runRouter(t, broker.URL())
	prime(t, startPublisher(t, broker.URL()), r, broker)
	for _, c := range []struct {
		name, broker, keystone, plugins string
		code                            int
		want                            []string
	}{
		{"all is well", broker.URL(), "", plugins, 0, []string{
			"ok    plugins in ", " would run", "ok    broker " + broker.Addr() + "/: bound to nova\n", "does not have neutron ",
			"no notification within 10ms", "ok    router on " + r.admin + ": ready\n"}},
		{"nothing is", "amqp://127.0.0.1:1/", "http://127.0.0.1:1", t.TempDir(), 1, []string{
			"FAIL  broker 127.0.0.1:1/: connect: ", "FAIL  keystone: ", "2 of the above must be mended"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "router.toml")
			config := fmt.Sprintf("[amqp]\nurls = [%q]\n[plugins]\ndir = %q\n[auth.keystone]\nurl = %q\n[auth.jwt]\nhmac_secret = %q\n[admin]\nlisten = %q\n",
				c.broker, c.plugins, c.keystone, secret, r.admin)
			if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(binary, "doctor", "--listen", "10ms", "--config-file", file)
			out, _ := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("%q is not in what it says", want)
				}
			}
			if t.Failed() {
				t.Log(string(out))
			}
		})
	}
}
