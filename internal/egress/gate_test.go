package egress_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/internal/egress"
)

// client is a Go client behind a gate, that trusts it and a test server.
func client(t *testing.T, gate *egress.Gate, server *httptest.Server) *http.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(gate.PEM())
	if server != nil {
		roots.AddCert(server.Certificate())
	}
	proxy, err := url.Parse(gate.Environment(false)["HTTPS_PROXY"])
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// get gives status and body of an answer.
func get(t *testing.T, c *http.Client, address string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// dialer is a network on which every host is one server, and that says what was asked for.
type dialer struct {
	server *httptest.Server
	mu     sync.Mutex
	asked  []string
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, address)
	return new(net.Dialer).DialContext(ctx, network, d.server.Listener.Addr().String())
}

// Hosts that are not AWS's are reached, and the gate sees nothing of what is said.
func TestGate_otherHosts(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello from "+r.Host)
	}))
	defer server.Close()
	network := &dialer{server: server}
	gate := open(t, egress.Config{Services: services, Dial: network.dial})
	status, body := get(t, client(t, gate, server), "https://example.com/")
	if status != http.StatusOK || body != "hello from example.com" {
		t.Errorf("got %d %q", status, body)
	}
	if !slices.Equal(network.asked, []string{"example.com:443"}) {
		t.Errorf("dialled %v", network.asked)
	}
}

// Where the machine itself has a proxy, the way out leads through it.
func TestGate_otherHosts_byProxy(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "hello from "+r.Host)
	}))
	defer server.Close()
	network := &dialer{server: server}
	company := open(t, egress.Config{Dial: network.dial}) // a gate is a proxy too
	var credentials string
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		credentials = r.Header.Get("Proxy-Authorization")
		if r.Host != "example.com:443" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		company.Proxy(w, r)
	}))
	defer front.Close()
	proxy, err := url.Parse(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy.User = url.UserPassword("bob", "tea")
	gate := open(t, egress.Config{Dial: egress.DialBy(http.ProxyURL(proxy))})
	status, body := get(t, client(t, gate, server), "https://example.com/")
	if status != http.StatusOK || body != "hello from example.com" || credentials != "Basic Ym9iOnRlYQ==" {
		t.Errorf("got %d %q with the credentials %q", status, body, credentials)
	}
	if _, err := client(t, gate, server).Get("https://elsewhere.example/"); err == nil { //nolint:bodyclose,noctx // it is refused
		t.Error("what the proxy refuses is reached")
	}
}

func TestGate_fallback(t *testing.T) {
	t.Parallel()
	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "emulated "+r.Host+r.URL.Path)
	}))
	defer emulator.Close()
	target, err := url.Parse(emulator.URL)
	if err != nil {
		t.Fatal(err)
	}
	gate := open(t, egress.Config{Services: services, Fallback: target})
	// The host that the call was signed for stays.
	_, body := get(t, client(t, gate, nil), "https://sqs.eu-west-1.amazonaws.com/queue")
	if want := "emulated sqs.eu-west-1.amazonaws.com/queue"; body != want {
		t.Errorf("got %q, want %q", body, want)
	}
	if _, body := get(t, client(t, gate, nil), "https://dynamodb.eu-west-1.amazonaws.com/"); !strings.Contains(body, "Rooms") {
		t.Errorf("DynamoDB is served here: got %q", body)
	}
}

// An open gate lets out what it does not serve, and looks at nothing of it.
func TestGate_open(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "AWS itself")
	}))
	defer server.Close()
	network := &dialer{server: server}
	gate := open(t, egress.Config{Services: services, Open: true, Dial: network.dial})
	c := client(t, gate, server)
	c.Transport.(*http.Transport).TLSClientConfig.ServerName = "example.com" // as its certificate has
	if _, body := get(t, c, "https://sqs.us-east-1.amazonaws.com/"); body != "AWS itself" {
		t.Errorf("got %q", body)
	}
	if _, body := get(t, client(t, gate, nil), "https://dynamodb.us-east-1.amazonaws.com/"); !strings.Contains(body, "Rooms") {
		t.Errorf("DynamoDB is served here: got %q", body)
	}
	if !slices.Equal(network.asked, []string{"sqs.us-east-1.amazonaws.com:443"}) {
		t.Errorf("dialled %v", network.asked)
	}
	if hosts := gate.Environment(true)["CONFAB_GATE_HOSTS"]; strings.Contains(hosts, `on\.aws`) {
		t.Errorf("Node.js is led here for all hosts: %s", hosts)
	}
}

func TestGate_refused(t *testing.T) {
	t.Parallel()
	said := make(chan string, 1)
	gate := open(t, egress.Config{Refused: func(r *http.Request, sentence string) {
		said <- r.Host + ": " + sentence
	}})
	status, body := get(t, client(t, gate, nil), "https://cognito-idp.us-east-1.amazonaws.com/")
	if status != http.StatusBadRequest || !strings.Contains(body, "--aws-endpoint") ||
		!strings.Contains(body, "--allow-aws") {
		t.Errorf("got %d %s", status, body)
	}
	if got := <-said; !strings.HasPrefix(got, "cognito-idp.us-east-1.amazonaws.com: cognito-idp") {
		t.Errorf("told %q", got)
	}
}

func TestGate_knowsConnectOnly(t *testing.T) {
	t.Parallel()
	gate := open(t, egress.Config{})
	if status, _ := get(t, http.DefaultClient, "http://"+gate.Addr()+"/"); status != http.StatusMethodNotAllowed {
		t.Errorf("got %d", status)
	}
}

// The authority vouches for AWS and loopback; a certificate of its key for anything else is worthless.
func TestAuthority(t *testing.T) {
	t.Parallel()
	authority, err := egress.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	for name, wanted := range map[string]bool{
		"abc.execute-api.eu-west-1.amazonaws.com": true, "dynamodb.eu-west-1.api.aws": true, "localhost": true,
		"": true, "example.com": false, "amazonaws.com.example.com": false, "notamazonaws.com": false,
	} {
		issued, err := authority.TLS().GetCertificate(&tls.ClientHelloInfo{ServerName: name})
		if !wanted {
			if err == nil {
				t.Errorf("%q: got a certificate", name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		leaf, err := x509.ParseCertificate(issued.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if name == "" {
			name = "127.0.0.1"
		}
		if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	authorityBinds(t, authority)
}

// authorityBinds checks the constraint in the authority's certificate.
func authorityBinds(t *testing.T, authority *egress.Authority) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	der, err := authority.Forge("bank.example")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "bank.example"})
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName {
		t.Errorf("a certificate for bank.example: %v, want that the authority may not", err)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	own := map[string]string{"NODE_OPTIONS": "--enable-source-maps", "HTTPS_PROXY": "http://other", "TABLE": "t"}
	egress.Merge(own, map[string]string{"NODE_OPTIONS": "--require x", "HTTPS_PROXY": "http://gate"})
	if own["NODE_OPTIONS"] != "--enable-source-maps --require x" || own["HTTPS_PROXY"] != "http://gate" || own["TABLE"] != "t" {
		t.Errorf("got %v", own)
	}
}

// One port answers ws:// and https://: what begins as TLS does, and what does not.
func TestSplit(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	authority, err := egress.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	plain, secure := egress.Split(listener)
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS != nil {
				io.WriteString(w, "secret")
				return
			}
			io.WriteString(w, "plain")
		}), TLSConfig: authority.TLS(),
	}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(plain) }()
	go func() { ended <- server.ServeTLS(secure, "", "") }()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM())
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	if _, body := get(t, c, "http://"+listener.Addr().String()); body != "plain" {
		t.Errorf("http: got %q", body)
	}
	if _, body := get(t, c, "https://"+listener.Addr().String()); body != "secret" {
		t.Errorf("https: got %q", body)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("ended with %v", err)
		}
	}
}
