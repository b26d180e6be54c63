package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/regular"
)

const (
	// certificateInterval is how often the files are read.
	certificateInterval = 5 * time.Second
	// reminder is how often the log says that the certificate is about to expire.
	reminder = 24 * time.Hour
)

// certificate is that of the client endpoints. It is read again when its files
// change, so that renewing it needs no restart. If the new pair cannot be used, the
// one before stays, and the log and a metric say so at once and not when it expires.
type certificate struct {
	certFile, keyFile string
	interval          time.Duration
	log               *slog.Logger

	mu       sync.Mutex
	pair     *tls.Certificate
	unusable error             // why the files, as they are now, are not in use
	state    [sha256.Size]byte // of the files, or of why they cannot be read
	reminded time.Time
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair, nil
}

// tls is nil if there is no certificate.
func (c *certificate) tls() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// run reads the files again and again until ctx is done.
func (c *certificate) run(ctx context.Context) {
	tick := time.NewTicker(c.interval)
	defer tick.Stop()
	for {
		c.check(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// check uses the files if they have changed, and logs what has become of them.
func (c *certificate) check(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed, err := c.read(now)
	switch {
	case changed && err != nil:
		c.log.Error("the changed certificate cannot be used; the one before stays in use", "error", err,
			"cert_file", c.certFile, "expires", c.pair.Leaf.NotAfter)
	case changed:
		c.log.Info("read the changed certificate", "cert_file", c.certFile, "expires", c.pair.Leaf.NotAfter)
	}
	left := c.pair.Leaf.NotAfter.Sub(now)
	if left < lastChance(c.pair) && now.Sub(c.reminded) >= reminder {
		c.reminded = now
		c.log.Warn("the certificate expires soon, or has expired; renew it", "cert_file", c.certFile, "expires", c.pair.Leaf.NotAfter)
	}
}

// lastChance is the end of a certificate's life in which it should have been
// renewed: ACME clients do it when a third is left.
func lastChance(pair *tls.Certificate) time.Duration {
	return min(pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore)/6, 14*24*time.Hour)
}

// read uses the files unless they are as they were. One that has expired replaces
// none.
func (c *certificate) read(now time.Time) (changed bool, err error) {
	cert, err := regular.Read(c.certFile, regular.Most)
	var key []byte
	if err == nil {
		key, err = regular.Read(c.keyFile, regular.Most)
	}
	state := sha256.Sum256(fmt.Appendf(nil, "%v\n%s\n%s", err, cert, key))
	if state == c.state {
		return false, nil
	}
	c.state = state
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.X509KeyPair(cert, key)
	}
	if err == nil && c.pair != nil && now.After(pair.Leaf.NotAfter) {
		err = fmt.Errorf("it expired at %s", pair.Leaf.NotAfter)
	}
	if err == nil {
		c.pair, c.reminded = &pair, time.Time{}
	}
	c.unusable = err
	return true, err
}

// certificateMetrics are read when somebody scrapes. Without TLS there are none.
type certificateMetrics struct{ *certificate }

var (
	unusableDesc = prometheus.NewDesc("horizon_realtime_server_certificate_unusable",
		"1 while [server] tls_cert_file and tls_key_file, as they are now, cannot be used and what they held before is.", nil, nil)
	daysDesc = prometheus.NewDesc("horizon_realtime_server_certificate_days",
		"Days until the certificate in use expires.", nil, nil)
)

func (m certificateMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- unusableDesc
	ch <- daysDesc
}

func (m certificateMetrics) Collect(ch chan<- prometheus.Metric) {
	if m.certificate == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	unusable := 0.0
	if m.unusable != nil {
		unusable = 1
	}
	ch <- prometheus.MustNewConstMetric(unusableDesc, prometheus.GaugeValue, unusable)
	ch <- prometheus.MustNewConstMetric(daysDesc, prometheus.GaugeValue, time.Until(m.pair.Leaf.NotAfter).Hours()/24)
}
