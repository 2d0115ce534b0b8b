package serve

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how long a certificate is used before its files are looked at again.
const certificateCheck = time.Second

// Certificate is a TLS certificate from two files, which may be replaced while the server runs.
type Certificate struct {
	certFile, keyFile string
	now               func() time.Time
	logger            *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	version [2]fileVersion
	checked time.Time
}

// fileVersion changes when a file does.
type fileVersion struct {
	modified time.Time
	size     int64
}

// LoadCertificate reads a certificate with its chain and its key, both PEM.
func LoadCertificate(
	certFile, keyFile string, now func() time.Time, logger *slog.Logger,
) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile, now: now, logger: logger}
	version, err := c.stat()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	c.current, c.version, c.checked = &pair, version, now()
	return c, nil
}

// TLS is the configuration of a listener. WebSockets need HTTP/1.1, so that is all it offers.
func (c *Certificate) TLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: c.get}
}

// get gives the certificate for a handshake. Files that cannot be read, because they are just
// being replaced or are broken, leave the one before in use.
func (c *Certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.checked) < certificateCheck {
		return c.current, nil
	}
	c.checked = now
	version, err := c.stat()
	if err == nil && version == c.version {
		return c.current, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	if err != nil {
		c.logger.Error("certificate not read again", "file", c.certFile, "error", err)
		return c.current, nil
	}
	c.current, c.version = &pair, version
	c.logger.Info("certificate read again", "file", c.certFile)
	return c.current, nil
}

func (c *Certificate) stat() (version [2]fileVersion, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return version, err
		}
		version[i] = fileVersion{info.ModTime(), info.Size()}
	}
	return version, nil
}
