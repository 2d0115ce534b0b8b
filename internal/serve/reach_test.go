package serve

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCheckAddress(t *testing.T) {
	for _, c := range []struct {
		addr    string
		allowed bool
		says    string
	}{
		{"127.0.0.1:8080", false, ""},
		{"127.8.9.1:0", false, ""},
		{"[::1]:8080", false, ""},
		{"localhost:8080", false, ""},
		{"0.0.0.0:8080", false, "--insecure-http"},
		{":8080", false, "--insecure-http"},
		{"192.0.2.1:8080", false, "--insecure-http"},
		{"chat.example:8080", false, "--insecure-http"},
		{"192.0.2.1:8080", true, ""},
		{"8080", false, "HOST:PORT"},
		{"8080", true, "HOST:PORT"},
	} {
		err := CheckAddress(c.addr, c.allowed)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s, allowed %v: got %v, want %q", c.addr, c.allowed, err, c.says)
		}
	}
}

func TestParsePublicURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://chat.example":            "https://chat.example",
		"https://Chat.Example/":           "https://chat.example",
		"https://chat.example:443":        "https://chat.example",
		"http://chat.example:80":          "http://chat.example",
		"http://chat.example:443":         "http://chat.example:443",
		"https://chat.example:8443":       "https://chat.example:8443",
		"http://192.0.2.7:8080":           "http://192.0.2.7:8080",
		"http://[2001:db8::1]:8080":       "http://[2001:db8::1]:8080",
		"https://[2001:db8::1]":           "https://[2001:db8::1]",
		"chat.example":                    "",
		"wss://chat.example":              "",
		"https://":                        "",
		"https://chat.example/production": "",
		"https://alice@chat.example":      "",
		"https://chat.example?x":          "",
		"https://chat.example?x=1#y":      "",
	} {
		u, err := ParsePublicURL(text)
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "https://chat.example") {
				t.Errorf("%q: got %v, %v, want an error with an example", text, u, err)
			}
			continue
		}
		if err != nil || u.String() != want {
			t.Errorf("%q: got %v, %v, want %s", text, u, err, want)
		}
	}
}

func TestParseProxies(t *testing.T) {
	got, err := ParseProxies([]string{"10.1.2.3/8", "192.0.2.1", "2001:db8::/32", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::1/128"}
	for i, network := range got {
		if network.String() != want[i] {
			t.Errorf("network %d is %v, want %s", i, network, want[i])
		}
	}
	for _, bad := range []string{"", "proxy.example", "10.0.0.0/33", "10.0.0.0-10.0.0.9"} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// TestServer_forwarded goes through who may say where a request comes from.
func TestServer_forwarded(t *testing.T) {
	networks, err := ParseProxies([]string{"10.0.0.0/8", "::1"})
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{config: Config{TrustedProxies: networks}}
	for _, c := range []struct {
		name, peer  string
		addresses   []string
		proto       string
		wantAddress string
		wantTLS     bool
	}{
		{"no proxy", "192.0.2.9:999", nil, "", "192.0.2.9:999", false},
		{"a stranger says so", "192.0.2.9:999", []string{"198.51.100.1"}, "https", "192.0.2.9:999", false},
		{"loopback is not trusted by itself", "127.0.0.1:999", []string{"198.51.100.1"}, "https", "127.0.0.1:999", false},
		{"a proxy says so", "10.0.0.1:999", []string{"198.51.100.1"}, "https", "198.51.100.1:0", true},
		{"a proxy says http", "10.0.0.1:999", []string{"198.51.100.1"}, "http", "198.51.100.1:0", false},
		{"a proxy says nothing", "10.0.0.1:999", nil, "", "10.0.0.1:999", false},
		{"the client forged the first", "10.0.0.1:999", []string{"203.0.113.5, 198.51.100.1"}, "", "198.51.100.1:0", false},
		{"two proxies", "10.0.0.1:999", []string{"203.0.113.5, 198.51.100.1, 10.9.9.9"}, "", "198.51.100.1:0", false},
		{"two header lines", "10.0.0.1:999", []string{"203.0.113.5", "198.51.100.1"}, "", "198.51.100.1:0", false},
		{"only proxies", "10.0.0.1:999", []string{"10.2.2.2, 10.3.3.3"}, "", "10.2.2.2:0", false},
		{"no address", "10.0.0.1:999", []string{"unknown"}, "", "10.0.0.1:999", false},
		{"an address after none", "10.0.0.1:999", []string{"unknown, 10.3.3.3"}, "", "10.3.3.3:0", false},
		{"IPv6", "[::1]:999", []string{"2001:db8::7"}, "https", "[2001:db8::7]:0", true},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:999", []string{"::ffff:198.51.100.1"}, "", "198.51.100.1:0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = c.peer, c.addresses
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			told := s.forwarded(r)
			if told.RemoteAddr != c.wantAddress || (told.TLS != nil) != c.wantTLS {
				t.Errorf("got %s, TLS %v, want %s, TLS %v", told.RemoteAddr, told.TLS != nil, c.wantAddress, c.wantTLS)
			}
			for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto"} {
				if told.Header.Get(name) != "" {
					t.Errorf("%s is handed on: %q", name, told.Header.Get(name))
				}
			}
		})
	}
}

// TestServer_forwarded_ownTLS keeps what the listener itself knows.
func TestServer_forwarded_ownTLS(t *testing.T) {
	s := &Server{}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.TLS = &tls.ConnectionState{}
	r.Header.Set("X-Forwarded-Proto", "http")
	if s.forwarded(r).TLS != r.TLS {
		t.Error("the listener's TLS is forgotten")
	}
}
