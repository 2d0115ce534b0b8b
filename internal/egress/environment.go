package egress

import (
	_ "embed"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Files of Config.Dir.
const (
	authorityFile = "authority.pem" // the gate's certificate alone
	bundleFile    = "bundle.pem"    // the system's roots and the gate's
	preloadFile   = "preload.cjs"
)

// preload is the script that leads Node.js here.
//
//go:embed preload.cjs
var preload []byte

// nobody is the list of hosts that clients reach without a proxy.
const nobody = "127.0.0.1,localhost,::1"

// Environment gives the variables by which a program reaches the gate and trusts it. Node.js
// programs, told by node, are led here by a script; others by a proxy. NODE_OPTIONS is to be added
// to what the program has of its own, the rest replaces it.
func (g *Gate) Environment(node bool) map[string]string {
	authority := filepath.Join(g.cfg.Dir, authorityFile)
	bundle := filepath.Join(g.cfg.Dir, bundleFile)
	env := map[string]string{
		"NODE_EXTRA_CA_CERTS": authority,
		"AWS_CA_BUNDLE":       bundle, // every AWS SDK but JavaScript's
		"REQUESTS_CA_BUNDLE":  bundle, // Python's requests
		"SSL_CERT_FILE":       bundle, // OpenSSL, and Go on Linux
	}
	if node {
		env["NODE_OPTIONS"] = "--require " + strconv.Quote(filepath.Join(g.cfg.Dir, preloadFile))
		env["CONFAB_GATE"], env["CONFAB_GATE_HOSTS"] = g.Addr(), g.diverted()
		return env
	}
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		env[name] = "http://" + g.Addr()
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env[name] = nobody
	}
	return env
}

// diverted is the pattern of the hosts that end here, as diverts tells them.
func (g *Gate) diverted() string {
	if !g.cfg.Open || g.cfg.Fallback != nil {
		return anyHost()
	}
	patterns := make([]string, len(g.hosts))
	for i, pattern := range g.hosts {
		patterns[i] = pattern.String()
	}
	return strings.Join(patterns, "|")
}

// rootFiles are where systems keep the certificates that they trust, as Go's crypto/x509 knows
// them.
var rootFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem", "/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// systemRoots are the certificates that this machine trusts; none where they are in no file, as on
// Windows.
func systemRoots() []byte {
	files := rootFiles
	if own := os.Getenv("SSL_CERT_FILE"); own != "" {
		files = append([]string{own}, files...)
	}
	for _, name := range files {
		if text, err := os.ReadFile(name); err == nil {
			return append(text, '\n')
		}
	}
	return nil
}

// Merge adds the gate's variables to a program's own, in place: the gate's win, NODE_OPTIONS is
// both.
func Merge(own, gate map[string]string) {
	for name, value := range gate {
		if had := own[name]; name == "NODE_OPTIONS" && had != "" {
			value = had + " " + value
		}
		own[name] = value
	}
}
