package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// recheckCertificate is how often the files are looked at, at most.
const recheckCertificate = time.Minute

// keyPair is a certificate that is read again when its file has changed, so that
// renewing it needs no restart.
type keyPair struct {
	certFile, keyFile string

	mu       sync.Mutex
	pair     *tls.Certificate
	looked   time.Time
	modified time.Time
}

// get is tls.Config.GetCertificate. A new pair that cannot be used leaves the
// one there was.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pair != nil && time.Since(k.looked) < recheckCertificate {
		return k.pair, nil
	}
	k.looked = time.Now()
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
