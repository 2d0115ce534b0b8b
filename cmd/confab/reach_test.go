package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/testcert"
	"github.com/confab-chat/confab/internal/tools"
)

// visitor reaches a server by a host name that nobody but the test resolves.
type visitor struct {
	addr string // what every name leads to
	from net.IP // the visitor's own address; nil: any
	pool *x509.CertPool
}

func (v visitor) client(tb testing.TB) *http.Client {
	dialer := &net.Dialer{}
	if v.from != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: v.from}
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, v.addr)
		},
		TLSClientConfig: &tls.Config{RootCAs: v.pool, MinVersion: tls.VersionTLS12},
	}
	tb.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// visit connects as a page of that origin does.
func (v visitor) visit(tb testing.TB, url, origin string) (*websocket.Conn, *http.Response, error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	defer cancel()
	options := &websocket.DialOptions{HTTPClient: v.client(tb), HTTPHeader: http.Header{}}
	if origin != "" {
		options.HTTPHeader.Set("Origin", origin)
	}
	conn, response, err := websocket.Dial(ctx, url, options)
	if err == nil {
		tb.Cleanup(func() { _ = conn.CloseNow() })
	}
	return conn, response, err
}

// must is visit for those who are let in.
func (v visitor) must(tb testing.TB, url, origin string) *websocket.Conn {
	tb.Helper()
	conn, _, err := v.visit(tb, url, origin) //nolint:bodyclose // the library closes it
	if err != nil {
		tb.Fatal(err)
	}
	return conn
}

// ask sends a frame and awaits one that holds a text.
func ask(tb testing.TB, conn *websocket.Conn, frame, want string) string {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), limit)
	defer cancel()
	if err := conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		tb.Fatal(err)
	}
	for {
		_, got, err := conn.Read(ctx)
		if err != nil {
			tb.Fatalf("no frame with %s: %v", want, err)
		}
		if strings.Contains(string(got), want) {
			return string(got)
		}
	}
}

// awaitPort returns when something listens.
func awaitPort(tb testing.TB, addr string) {
	tb.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(tb.Context(), "tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
	}
	tb.Fatalf("nothing listens on %s", addr)
}

// TestServe_TLS speaks TLS, and takes a new certificate without a restart.
func TestServe_TLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := testcert.Write(t, dir, "chat.example")
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--memory", "--allowed-hosts", "chat.example",
		"--tls-cert", first.CertFile, "--tls-key", first.KeyFile)
	v := visitor{addr: server.Addr, pool: first.Pool}
	const url, ping, pong = "wss://chat.example/production?name=alice", `{"action":"ping","id":"p"}`, `"event":"pong"`
	old := v.must(t, url, "https://chat.example")
	ask(t, old, ping, pong)
	if _, _, err := v.visit(t, "ws://chat.example/production", ""); err == nil { //nolint:bodyclose // refused
		t.Error("a handshake without TLS was answered")
	}

	second := testcert.Write(t, dir, "chat.example")
	renewed := func() bool { return presented(t, server.Addr).Cmp(second.Serial) == 0 }
	for end := time.Now().Add(limit); !renewed(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the new certificate is not used")
		}
	}
	ask(t, old, ping, pong)
	v.pool = second.Pool
	ask(t, v.must(t, url, ""), ping, pong)
}

// presented gives the serial number of the certificate that a server shows.
func presented(t *testing.T, addr string) *big.Int {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // it is only looked at
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber
}

// startNginx puts nginx with TLS in front of a server, configured as docs/operations.md says.
func startNginx(t *testing.T, server string) (front string, pair testcert.Pair) {
	t.Helper()
	nginx := tools.Program(t, "nginx")
	dir := t.TempDir()
	front, pair = sim.FreeAddr(t), testcert.Write(t, dir, "chat.example")
	site := strings.NewReplacer(
		"listen 443", "listen "+front, "http://127.0.0.1:8080", "http://"+server,
		"/etc/ssl/chat.example.pem", pair.CertFile, "/etc/ssl/chat.example.key", pair.KeyFile,
	).Replace(documented(t, "nginx"))
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log stderr;\nevents {}\n"+
		"http {\naccess_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; "+
		"fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;\n%[2]s}\n", dir, site)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(nginx, "-p", dir, "-e", "stderr", "-c", config))
	awaitPort(t, front)
	return front, pair
}

// TestServe_behindNginx puts nginx with TLS in front of a server, configured as docs/operations.md
// says, and leaves a connection silent for longer than nginx waits by default (60 s).
func TestServe_behindNginx(t *testing.T) {
	t.Parallel()
	server := sim.FreeAddr(t)
	sim.ServeAt(t, server, "--memory", "--auth", "open", "--public-url", "https://chat.example", "--trusted-proxies", "127.0.0.1")
	front, pair := startNginx(t, server)
	v := visitor{addr: front, pool: pair.Pool, from: net.IPv4(127, 0, 0, 2)}
	const url, origin = "wss://chat.example/production?name=alice", "https://chat.example"
	alice := v.must(t, url, origin)
	whole := time.Now()
	t.Run("foreign origin", func(t *testing.T) {
		_, response, err := v.visit(t, url, "https://chat.example.evil.example") //nolint:bodyclose // refused
		if err == nil || response == nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("got %v, %v, want 403", response, err)
		}
	})
	t.Run("client address", func(t *testing.T) {
		conn := v.must(t, "wss://chat.example/dev?dialect=broadcast", origin)
		ask(t, conn, "hello", `"SourceIp":"127.0.0.2"`)
	})
	const idle = 70 * time.Second
	closed := alice.CloseRead(t.Context()) // answers pings, sends nothing
	select {
	case <-closed.Done():
		t.Fatalf("the silent connection ended after %v", time.Since(whole))
	case <-time.After(idle):
	}
	bob := v.must(t, "wss://chat.example/production?name=bob", origin)
	ask(t, bob, `{"action":"users","id":"u"}`, `{"user":"alice","online":true}`)
}

// documented gives the first block of that language in docs/operations.md.
func documented(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tools.Root(), "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	block, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("docs/operations.md has no block of %s", language)
	}
	return block
}

// start runs a program until the test ends.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
}

// TestServe_ACME gets a certificate from pebble, a small ACME issuer, which proves the name over
// the server's own port.
func TestServe_ACME(t *testing.T) {
	t.Parallel()
	pebble, dns := tools.Path(t, "bin/pebble"), tools.Path(t, "bin/pebble-challtestsrv")
	dir := t.TempDir()
	issuer := testcert.Write(t, dir, "localhost")
	directory, names, server := sim.FreeAddr(t), sim.FreeAddr(t), sim.FreeAddr(t)
	_, serverPort, _ := net.SplitHostPort(server)
	config := filepath.Join(dir, "pebble.json")
	text := fmt.Sprintf(`{"pebble":{"listenAddress":%q,"managementListenAddress":%q,"certificate":%q,
		"privateKey":%q,"httpPort":1,"tlsPort":%s,"profiles":{"default":{"validityPeriod":7776000}}}}`,
		directory, sim.FreeAddr(t), issuer.CertFile, issuer.KeyFile, serverPort)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(dns, "-dnsserver", names, "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", sim.FreeAddr(t)))
	awaitPort(t, names)
	run := exec.Command(pebble, "-config", config, "-dnsserver", names)
	run.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	start(t, run)
	awaitPort(t, directory)

	_, port, _ := net.SplitHostPort(directory)
	data := filepath.Join(dir, "data")
	confab := sim.Surroundings{Env: []string{"SSL_CERT_FILE=" + issuer.CertFile}}
	confab.ServeAt(t, server, "--data", data, "--auth", "open", "--public-url", "https://chat.example", "--acme",
		"--acme-directory", "https://localhost:"+port+"/dir")
	leaf := awaitCertificate(t, server)
	if err := leaf.VerifyHostname("chat.example"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		t.Errorf("the issuer is %q, want Pebble", leaf.Issuer)
	}
	kept, err := os.Stat(filepath.Join(data, "acme", "chat.example"))
	if err != nil || kept.Mode().Perm() != 0o600 {
		t.Errorf("the certificate is not kept for its owner alone: %v, %v", kept, err)
	}
}

// awaitCertificate makes handshakes until one is answered with a certificate.
func awaitCertificate(t *testing.T, addr string) *x509.Certificate {
	t.Helper()
	dialer := tls.Dialer{Config: &tls.Config{
		InsecureSkipVerify: true, //nolint:gosec // the test looks at the certificate itself
		ServerName:         "chat.example",
	}}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	for end := time.Now().Add(limit); err != nil; conn, err = dialer.DialContext(t.Context(), "tcp", addr) {
		if time.Now().After(end) {
			t.Fatalf("no certificate: %v", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
}
