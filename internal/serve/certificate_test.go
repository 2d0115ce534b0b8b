package serve

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testcert"
)

// TestCertificate_get replaces the files under a running server: well, badly, and well again.
func TestCertificate_get(t *testing.T) {
	dir := t.TempDir()
	first := testcert.Write(t, dir, "chat.example")
	now := time.Now()
	c, err := LoadCertificate(first.CertFile, first.KeyFile, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	config := c.TLS()
	if config.MinVersion < tls.VersionTLS12 {
		t.Error("TLS below 1.2 is offered")
	}
	serial := func() *big.Int {
		pair, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := x509.ParseCertificate(pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return leaf.SerialNumber
	}
	later := func(d time.Duration) { // files written within one tick of the file system's clock look alike
		now = now.Add(d)
		for _, file := range []string{first.CertFile, first.KeyFile} {
			if err := os.Chtimes(file, now, now); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
	}
	if got := serial(); got.Cmp(first.Serial) != 0 {
		t.Fatalf("serial %d, want %d", got, first.Serial)
	}
	second := testcert.Write(t, dir, "chat.example")
	later(2 * time.Second)
	if got := serial(); got.Cmp(second.Serial) != 0 {
		t.Errorf("serial %d after the files were replaced, want %d", got, second.Serial)
	}
	if err := os.WriteFile(first.CertFile, []byte("half a certif"), 0o600); err != nil {
		t.Fatal(err)
	}
	later(2 * time.Second)
	if got := serial(); got.Cmp(second.Serial) != 0 {
		t.Errorf("serial %d while the file is broken, want %d", got, second.Serial)
	}
	if err := os.Remove(first.KeyFile); err != nil {
		t.Fatal(err)
	}
	later(2 * time.Second)
	if got := serial(); got.Cmp(second.Serial) != 0 {
		t.Errorf("serial %d while the key is missing, want %d", got, second.Serial)
	}
	third := testcert.Write(t, dir, "chat.example")
	later(2 * time.Second)
	if got := serial(); got.Cmp(third.Serial) != 0 {
		t.Errorf("serial %d after they were mended, want %d", got, third.Serial)
	}
	if _, err := LoadCertificate(filepath.Join(dir, "none"), first.KeyFile, time.Now, nil); err == nil {
		t.Error("a certificate that is not there was loaded")
	}
}
