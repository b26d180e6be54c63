package auth

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// maxAnswer bounds Keystone's answer, in bytes. Without the catalogue an answer is
// below 4 KiB.
const maxAnswer = 1 << 20

// transport carries the requests to Keystone. It cuts answers off at maxAnswer,
// and can be given other authorities to trust while it is used.
type transport struct {
	connections int
	current     atomic.Pointer[http.Transport]
}

func newTransport(connections int) *transport {
	t := &transport{connections: connections}
	t.use(nil)
	return t
}

// use trusts the authorities of a pool instead of the system's.
func (t *transport) use(pool *x509.CertPool) {
	next := http.DefaultTransport.(*http.Transport).Clone()
	next.MaxIdleConnsPerHost = t.connections
	next.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if old := t.current.Swap(next); old != nil {
		old.CloseIdleConnections()
	}
}

// useCA reads the PEM file of [auth.keystone] ca_file.
func (t *transport) useCA(text []byte) error {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return errors.New("it holds no PEM certificate")
	}
	t.use(pool)
	return nil
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.current.Load().RoundTrip(r)
	if err == nil {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

// CloseIdleConnections makes http.Client.CloseIdleConnections work.
func (t *transport) CloseIdleConnections() { t.current.Load().CloseIdleConnections() }
