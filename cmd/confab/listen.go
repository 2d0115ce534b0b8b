package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/confab-chat/confab/internal/serve"
)

// defaultAddr is where confab serve listens.
const defaultAddr = "127.0.0.1:8080"

// reachFlags say how people reach the server.
type reachFlags struct {
	addr                     string
	insecure                 bool
	publicURL                string
	certFile, keyFile        string
	acme                     bool
	acmeEmail, acmeDirectory string
	proxies                  []string
}

func (f *reachFlags) define(cmd *cobra.Command) {
	s := cmd.Flags()
	s.StringVar(&f.addr, "addr", defaultAddr, "address to listen on; port 0 picks a free one")
	s.BoolVar(&f.insecure, "insecure-http", false,
		"allow an address that other machines can reach, without TLS")
	s.StringVar(&f.publicURL, "public-url", "",
		"where people reach the server, as https://chat.example: its host and origin are accepted")
	s.StringVar(&f.certFile, "tls-cert", "", "certificate with its chain, PEM; read again when it changes")
	s.StringVar(&f.keyFile, "tls-key", "", "key of --tls-cert, PEM")
	s.BoolVar(&f.acme, "acme", false,
		"get the certificate of --public-url by ACME (TLS-ALPN-01: port 443 has to lead here)")
	s.StringVar(&f.acmeEmail, "acme-email", "", "whom the issuer of --acme may write to")
	s.StringVar(&f.acmeDirectory, "acme-directory", autocert.DefaultACMEDirectory,
		"directory of another issuer; using one means agreeing to its terms")
	s.StringSliceVar(&f.proxies, "trusted-proxies", nil,
		"addresses or networks of proxies whose X-Forwarded-For and -Proto count")
}

// apply checks the flags and sets what they say.
func (f *reachFlags) apply(c *serve.Config) (err error) {
	if f.publicURL != "" {
		if c.PublicURL, err = serve.ParsePublicURL(f.publicURL); err != nil {
			return usageError{fmt.Errorf("--public-url: %w", err)}
		}
	}
	if c.TrustedProxies, err = serve.ParseProxies(f.proxies); err != nil {
		return usageError{fmt.Errorf("--trusted-proxies: %w", err)}
	}
	switch {
	case (f.certFile == "") != (f.keyFile == ""):
		return usageError{errors.New("--tls-cert and --tls-key go together")}
	case f.acme && f.certFile != "":
		return usageError{errors.New("--acme and --tls-cert: only one of them can be")}
	case f.acme && (c.PublicURL == nil || c.PublicURL.Scheme != "https"):
		return usageError{errors.New("--acme needs --public-url https://HOST, the name to certify")}
	}
	if err := serve.CheckAddress(f.addr, f.insecure || f.tls()); err != nil {
		return usageError{err}
	}
	return nil
}

func (f *reachFlags) tls() bool { return f.acme || f.certFile != "" }

// listen opens the address, with TLS where it is asked for. data is the folder that keeps what ACME
// gave.
func (f *reachFlags) listen(ctx context.Context, c *serve.Config, data string) (net.Listener, error) {
	config, err := f.tlsConfig(c, data)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", f.addr)
	if err != nil {
		return nil, fmt.Errorf("%w; another address: confab serve --addr 127.0.0.1:0", err)
	}
	if config == nil {
		return listener, nil
	}
	return tls.NewListener(listener, config), nil
}

// tlsConfig is nil where there is no TLS.
func (f *reachFlags) tlsConfig(c *serve.Config, data string) (*tls.Config, error) {
	switch {
	case f.certFile != "":
		certificate, err := serve.LoadCertificate(f.certFile, f.keyFile, time.Now, c.Logger)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
		}
		return certificate.TLS(), nil
	case f.acme:
		manager := &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(filepath.Join(data, "acme")),
			HostPolicy: autocert.HostWhitelist(c.PublicURL.Hostname()),
			Client:     &acme.Client{DirectoryURL: f.acmeDirectory, UserAgent: "confab"},
			Email:      f.acmeEmail,
		}
		config := manager.TLSConfig()
		config.MinVersion = tls.VersionTLS12
		config.NextProtos = []string{"http/1.1", acme.ALPNProto}
		return config, nil
	}
	return nil, nil
}

// origin is where the server is reached: as --public-url says, else at the address itself, or at
// one of this machine's where it listens on all of them.
func (f *reachFlags) origin(c *serve.Config, address net.Addr) string {
	if c.PublicURL != nil {
		return c.PublicURL.String()
	}
	where := address.String()
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		where = net.JoinHostPort(ownAddress(), strconv.Itoa(tcp.Port))
	}
	if f.tls() {
		return "https://" + where
	}
	return "http://" + where
}

// ownAddress is an address under which other machines know this one; without any it is loopback.
func ownAddress() string {
	addresses, _ := net.InterfaceAddrs() // none are known then
	own := "127.0.0.1"
	for _, a := range addresses {
		network, ok := a.(*net.IPNet)
		if !ok || !network.IP.IsGlobalUnicast() {
			continue
		}
		if network.IP.To4() != nil {
			return network.IP.String()
		}
		own = network.IP.String()
	}
	return own
}
