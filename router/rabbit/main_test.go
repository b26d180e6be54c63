package rabbit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"horizon-realtime/router/rabbit/rabbittest"
	"horizon-realtime/router/testwait"
)

var (
	// node is shared by the tests of the package, which use exchanges and groups
	// of their own and do not run in parallel.
	node *rabbittest.Node
	// startNode makes node for the first test that asks; fuzzing needs none.
	startNode func() error
	// tlsAddr is where node accepts TLS from clients with a certificate of the
	// authority in certs/ca.pem.
	tlsAddr string
	certs   string
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rabbit")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	startNode = sync.OnceValue(func() error { return startNodeIn(dir) })
	code := m.Run()
	if node != nil {
		err = errors.Join(node.Close(), node.Close(), processesEnd(dir))
	}
	if err := errors.Join(err, goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// processesEnd waits until no process has dir in its environment: some of Erlang's
// own helpers notice a moment later that their parent has ended.
func processesEnd(dir string) error {
	var left string
	for deadline := time.Now().Add(testwait.Limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		files, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			return err
		}
		left = ""
		for _, file := range files {
			if env, err := os.ReadFile(file); err == nil && strings.Contains(string(env), "HOME="+dir) {
				left = filepath.Dir(file)
			}
		}
		if left == "" {
			return nil
		}
	}
	return fmt.Errorf("%s, started by the node, still runs", left)
}

func startNodeIn(dir string) error {
	certs = filepath.Join(dir, "certs")
	ports, err := rabbittest.FreePorts(1)
	if err := errors.Join(err, makeCertificates(certs)); err != nil {
		return err
	}
	tlsAddr = fmt.Sprintf("localhost:%d", ports[0])
	node, err = rabbittest.New(filepath.Join(dir, "node"),
		fmt.Sprintf("listeners.ssl.1 = 127.0.0.1:%d", ports[0]),
		"ssl_options.cacertfile = "+certs+"/ca.pem",
		"ssl_options.certfile = "+certs+"/server.pem",
		"ssl_options.keyfile = "+certs+"/server.key",
		"ssl_options.verify = verify_peer",
		"ssl_options.fail_if_no_peer_cert = true")
	return err
}

// makeCertificates writes an authority (ca.pem) and certificates by it for the
// broker on localhost (server.pem, server.key) and for us (client.pem, .key).
func makeCertificates(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := writeCertificate(dir, "ca", authority, authority, authorityKey, authorityKey); err != nil {
		return err
	}
	for i, name := range []string{"server", "client"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		cert := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 2)), Subject: pkix.Name{CommonName: name},
			DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			KeyUsage:    x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if err := writeCertificate(dir, name, cert, authority, key, authorityKey); err != nil {
			return err
		}
	}
	return nil
}

func writeCertificate(dir, name string, cert, issuer *x509.Certificate, key, issuerKey *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, cert, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(filepath.Join(dir, name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
}
