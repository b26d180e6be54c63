package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/server/clienttest"
	"horizon-realtime/router/server/session"
	"horizon-realtime/router/testwait"
)

// certificateFiles makes a certificate for 127.0.0.1.
func certificateFiles(t testing.TB, expires time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: expires.Add(-50 * time.Hour), NotAfter: expires, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestCertificateIsReadAgain renews a certificate in every way, good and bad.
func TestCertificateIsReadAgain(t *testing.T) {
	now := time.Now()
	cert, key := certificateFiles(t, now.Add(49*time.Hour))
	log := new(strings.Builder)
	cfg := Config{TLSCertFile: cert, TLSKeyFile: key}
	c, err := cfg.certificate(slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(certificateMetrics{c})
	renew := func(cert, key string) {
		t.Helper()
		for from, to := range map[string]string{cert: c.certFile, key: c.keyFile} {
			if err := os.Rename(from, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	var used *tls.Certificate
	checked := func(what string, replaced bool, logged string) {
		t.Helper()
		log.Reset()
		c.check(now)
		pair, err := c.get(nil)
		if err != nil || (pair != used) != replaced {
			t.Fatalf("%s: replaced: %v, error: %v", what, pair != used, err)
		}
		used = pair
		if (log.Len() > 0) != (logged != "") || !strings.Contains(log.String(), logged) {
			t.Fatalf("%s: log %q, want %q", what, log, logged)
		}
	}
	checked("at the start", true, "")
	renew(certificateFiles(t, now.Add(49*time.Hour)))
	checked("a new pair", true, "level=INFO msg=\"read the changed certificate\"")
	renew(certificateFiles(t, now.Add(-time.Minute)))
	checked("one that has expired", false, "level=ERROR msg=\"the changed certificate cannot be used; the one before stays in use\" error=\"it expired")
	checked("the same later", false, "")
	if text := metrics(t, reg); text != "certificate_days 2 certificate_unusable 1" {
		t.Fatal(text)
	}
	_, other := certificateFiles(t, now.Add(49*time.Hour))
	renew(c.certFile, other)
	checked("another's key", false, "private key does not match public key")
	if err := os.Remove(c.certFile); err != nil {
		t.Fatal(err)
	}
	checked("no file", false, "no such file")
	renew(certificateFiles(t, now.Add(50*time.Hour)))
	checked("a good one again", true, "level=INFO")
	if text := metrics(t, reg); text != "certificate_days 2 certificate_unusable 0" {
		t.Fatal(text)
	}
	now = now.Add(45 * time.Hour)
	checked("shortly before it expires", false, "level=WARN msg=\"the certificate expires soon")
	now = now.Add(10 * time.Hour)
	checked("hours later", false, "")
	now = now.Add(15 * time.Hour)
	checked("a day later", false, "level=WARN msg=\"the certificate expires soon")
}

// metrics are whole numbers.
func metrics(t *testing.T, reg *prometheus.Registry) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		all = append(all, fmt.Sprintf("%s %d", strings.TrimPrefix(f.GetName(), "horizon_realtime_server_"), int(f.GetMetric()[0].GetGauge().GetValue())))
	}
	return strings.Join(all, " ")
}

// TestCertificateRenewedWhileServing replaces the files, and waits until clients
// see the new certificate.
func TestCertificateRenewedWhileServing(t *testing.T) {
	cfg := testConfig()
	cfg.TLSCertFile, cfg.TLSKeyFile = certificateFiles(t, time.Now().Add(time.Hour))
	w := makeWorld(t, cfg, func(_ *world, o Options) (session.Authenticator, Options) { return new(clienttest.People), o })
	w.cert.interval = 10 * time.Millisecond
	w.run(t)
	serial := func() string {
		conn, err := tls.Dial("tcp", w.address(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	before := serial()
	cert, key := certificateFiles(t, time.Now().Add(time.Hour))
	if err := errors.Join(os.Rename(key, cfg.TLSKeyFile), os.Rename(cert, cfg.TLSCertFile)); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the new certificate", func() bool { return serial() != before })
}
