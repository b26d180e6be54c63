package rabbit

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"horizon-realtime/router/regular"
)

// target is a broker with what the router wants from it. It is made anew for each
// connection, so that a changed password or certificate needs no restart.
type target struct {
	address
	cfg   Config      // [amqp], as it is for this broker
	tls   *tls.Config // nil: without TLS
	state [sha256.Size]byte
}

// targets reads the brokers' URLs and files.
//
// # Errors
//
// An invalid configuration, no URL at all, a broker that is named twice, a file
// that cannot be read. None shows a URL.
func (c Config) targets() ([]target, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	all, err := c.addresses()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].load(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// addresses is targets without the certificates.
func (c Config) addresses() ([]target, error) {
	var all []target
	add := func(cfg Config, key, raw string) error {
		a, err := parseURL(raw)
		if err == nil {
			cfg, err = cfg.with(a)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		for _, other := range all {
			if other.same(a) {
				return fmt.Errorf("%s: %s is named twice; its notifications would be too", key, a)
			}
		}
		all = append(all, target{address: a, cfg: cfg})
		return nil
	}
	for i, raw := range c.URLs {
		if err := add(c, fmt.Sprintf("[amqp] urls[%d]", i), raw); err != nil {
			return nil, err
		}
	}
	if c.URLFile != "" {
		err := eachLine(c.URLFile, func(n int, line string) error {
			return add(c, fmt.Sprintf("[amqp] url_file %s line %d", c.URLFile, n), line)
		})
		if err != nil {
			return nil, err
		}
	}
	for i, b := range c.Brokers {
		key := fmt.Sprintf("[[amqp.broker]] number %d", i+1)
		raw, err := b.url()
		if err == nil {
			err = add(b.over(c), key, raw)
		} else {
			err = fmt.Errorf("%s: %w", key, err)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errors.New("[amqp] urls: no broker is named; set urls, url_file or [[amqp.broker]]")
	}
	return all, nil
}

// url is URL, or what URLFile holds.
func (b BrokerConfig) url() (string, error) {
	if b.URLFile == "" {
		return b.URL, nil
	}
	var found string
	err := eachLine(b.URLFile, func(_ int, line string) error {
		if found != "" {
			return errors.New("its url_file holds more than one URL")
		}
		found = line
		return nil
	})
	if err == nil && found == "" {
		err = errors.New("its url_file holds no URL")
	}
	return found, err
}

// eachLine skips blank lines and # comments.
func eachLine(path string, do func(n int, line string) error) error {
	f, _, err := regular.Open(path)
	if err != nil {
		return fmt.Errorf("read url_file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			if err := do(n, line); err != nil {
				return err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read url_file %s: %w", path, err)
	}
	return nil
}

// with is c with what the URL asks for.
func (c Config) with(a address) (Config, error) {
	o := a.options
	if o.noTLS && c.TLS.Enabled {
		return c, errors.New("its option ssl is off, and [amqp.tls] enabled is true; change one of them")
	}
	c.TLS.Enabled = c.TLS.Enabled || o.tls || a.tls
	if o.caFile != "" {
		c.TLS.CAFile = o.caFile
	}
	if o.certFile != "" {
		c.TLS.CertFile, c.TLS.KeyFile = o.certFile, o.keyFile
	}
	if o.heartbeat != 0 {
		c.Heartbeat = o.heartbeat
	}
	return c, nil
}

// load reads the certificates.
func (t *target) load() error {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", t.hosts)
	defer func() { h.Sum(t.state[:0]) }()
	c := t.cfg.TLS
	t.tls = nil
	if !c.Enabled {
		return nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if t.onlyTLS12 {
		out.MaxVersion = tls.VersionTLS12
	}
	if c.CAFile != "" {
		pem, err := regular.Read(c.CAFile, regular.Most)
		if err != nil {
			return fmt.Errorf("read the broker's ca_file: %w", err)
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("read the broker's ca_file: no certificate in %s; it must be PEM", c.CAFile)
		}
		h.Write(pem)
	}
	if c.CertFile != "" {
		cert, err := regular.KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return fmt.Errorf("read our cert_file and key_file for the broker: %w", err)
		}
		out.Certificates = []tls.Certificate{cert}
		h.Write(cert.Leaf.Raw)
	}
	t.tls = out
	return nil
}

// host is h with the credentials that it has now.
func (t *target) host(h host) host {
	for _, now := range t.hosts {
		if now.addr == h.addr {
			return now
		}
	}
	return h
}

// certificateDays is how long our certificate is good for. It is false if there is
// none.
func (t *target) certificateDays() (float64, bool) {
	if t.tls == nil || len(t.tls.Certificates) == 0 {
		return 0, false
	}
	return time.Until(t.tls.Certificates[0].Leaf.NotAfter).Hours() / 24, true
}
