package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificateInterval is how often the files are checked, at most.
const certificateInterval = time.Minute

// keyPair is a certificate that is read again when its file changes, so that
// renewing it needs no restart.
type keyPair struct {
	certFile, keyFile string

	mu       sync.Mutex
	pair     *tls.Certificate
	checked  time.Time
	modified time.Time
}

// get is tls.Config.GetCertificate. If the new pair cannot be used, the old one
// stays.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pair != nil && time.Since(k.checked) < certificateInterval {
		return k.pair, nil
	}
	k.checked = time.Now()
	info, err := os.Stat(k.certFile)
	if err == nil && (k.pair == nil || !info.ModTime().Equal(k.modified)) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(k.certFile, k.keyFile); err == nil {
			k.pair, k.modified = &pair, info.ModTime()
		}
	}
	if k.pair == nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return k.pair, nil
}
