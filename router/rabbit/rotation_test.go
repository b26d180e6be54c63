package rabbit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// TestRotation changes everything that the router proves itself with, and that it
// trusts, while it runs: the password, the broker's authority and certificate, and
// the router's own.
func TestRotation(t *testing.T) {
	cfg := testConfig(t)
	dial(t, node.URL()).exchange(cfg.Exchanges[0], false)
	ctl(t, "add_user", "rotating", "first")
	t.Cleanup(func() { ctl(t, "delete_user", "rotating") })
	ctl(t, "set_permissions", "rotating", ".*", ".*", ".*")
	cfg.URLs, cfg.URLFile = nil, filepath.Join(t.TempDir(), "urls")
	write := func(url string) {
		t.Helper()
		if err := os.WriteFile(cfg.URLFile, []byte(url), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# the only one\namqps://rotating:first@" + tlsAddr + "/")
	cfg.TLS.CAFile, cfg.TLS.CertFile, cfg.TLS.KeyFile = certs+"/ca.pem", certs+"/client.pem", certs+"/client.key"
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() }).ready().bound(1)
	reconnects := 0.0
	again := func(what string) {
		t.Helper()
		ctl(t, "close_all_connections", "rotated")
		reconnects++
		testwait.Until(t, what, func() bool { return c.metric("reconnects_total") >= reconnects && c.Ready() == nil })
		if n := c.metric("reconnects_total"); n != reconnects {
			t.Fatalf("%s: %v reconnects:\n%s", what, n-reconnects, c.log.String())
		}
	}

	// The broker has a new password first, as it must.
	ctl(t, "change_password", "rotating", "second")
	write(fmt.Sprintf("amqps://rotating:second@localhost:1,rotating:second@%s/", tlsAddr)) // and its cluster one more host
	again("a connection with the new password")

	write("amqps://rotating:second@" + tlsAddr + "/")
	if err := makeCertificates(certs); err != nil {
		t.Fatal(err)
	}
	ctl(t, "eval", "ssl:clear_pem_cache().")
	again("a connection with new certificates")
	if days := c.metric("certificate_days"); days <= 0 || days > 1 {
		t.Errorf("certificate_days is %v", days)
	}

	// What cannot be used is told, and what was before goes on working.
	write("amqps://rotating:secret@third@/")
	testwait.Until(t, "the log says so", func() bool {
		return strings.Contains(c.log.String(), "changed credentials or certificates cannot be used") && c.metric("file_unusable") == 1
	})
	again("a connection as before")
	write("amqps://rotating:second@" + tlsAddr + "/")
	testwait.Until(t, "the file is good", func() bool { return c.metric("file_unusable") == 0 })
	if err := os.Rename(certs+"/client.pem", certs+"/away.pem"); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the certificate is missed", func() bool { return c.metric("file_unusable") == 1 })
	again("a connection with the certificate as it was")
	if err := os.Rename(certs+"/away.pem", certs+"/client.pem"); err != nil {
		t.Fatal(err)
	}
	if log := c.log.String(); strings.Contains(log, "secret") || strings.Contains(log, ":second") || strings.Count(log, "cannot be used") != 2 {
		t.Fatalf("log:\n%s", log)
	}
}
