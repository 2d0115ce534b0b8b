package serve

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
)

func TestAddressLimiter(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newAddressLimiter(10, func() time.Time { return now })
	for i := range 20 { // the burst is twice the rate
		if wait := l.allow("192.0.2.1"); wait != 0 {
			t.Fatalf("action %d has to wait %v", i, wait)
		}
	}
	if wait := l.allow("192.0.2.1"); wait != 100*time.Millisecond {
		t.Errorf("action 21 has to wait %v, want 100ms", wait)
	}
	if wait := l.allow("192.0.2.2"); wait != 0 {
		t.Errorf("another address has to wait %v", wait)
	}
	for range 100 {
		if wait := l.allow("127.0.0.1"); wait != 0 {
			t.Fatalf("loopback has to wait %v", wait)
		}
	}
	now = now.Add(100 * time.Millisecond)
	if wait := l.allow("192.0.2.1"); wait != 0 {
		t.Errorf("after 100ms: has to wait %v", wait)
	}
}

// TestAddressLimiter_oneSubscriber counts what one machine can write as many addresses as one.
func TestAddressLimiter_oneSubscriber(t *testing.T) {
	for name, addresses := range map[string][]string{
		"a network of 64 bits": {"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::1%eth0"},
		"a zone":               {"fe80::1%eth0", "fe80::1%eth1", "fe80::1"},
		"IPv4 within IPv6":     {"::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1%eth0"},
	} {
		now := time.Unix(1_800_000_000, 0)
		l := newAddressLimiter(10, func() time.Time { return now })
		for i := range 20 {
			if wait := l.allow(addresses[i%2]); wait != 0 {
				t.Fatalf("%s: action %d has to wait %v", name, i, wait)
			}
		}
		for _, a := range addresses {
			if l.allow(a) == 0 {
				t.Errorf("%s: %s need not wait", name, a)
			}
		}
		if wait := l.allow("2001:db8:1:3::1"); wait != 0 {
			t.Errorf("%s: another network has to wait %v", name, wait)
		}
	}
}

func TestAddressLimiter_boundsItsMemory(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newAddressLimiter(10, func() time.Time { return now })
	for i := range 3 * maxAddresses {
		l.allow("2001:db8:" + string("0123456789abcdef"[i>>16&15]) + ":" + hex(i) + "::1")
	}
	if n := len(l.buckets); n > maxAddresses {
		t.Errorf("%d addresses are kept, at most %d", n, maxAddresses)
	}
}

func hex(n int) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]})
}

// failing is a log whose heads cannot be read.
type failing struct{ chat.Log }

func (failing) Heads(context.Context, []string) ([]chat.Head, error) {
	return nil, chat.E(chat.Unavailable, "no answer")
}

func TestServer_Readyz(t *testing.T) {
	log := memstore.NewLog(memstore.Options{})
	ask := func(s *Server, host string) int {
		w := httptest.NewRecorder()
		s.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://"+host+"/readyz", http.NoBody))
		return w.Code
	}
	ready := func(s *Server) int { return ask(s, "127.0.0.1") }
	s := start(t, log)
	if got := ready(s); got != http.StatusOK {
		t.Errorf("a server that runs: status %d, want 200", got)
	}
	if got := ask(s, "evil.example"); got != http.StatusMisdirectedRequest {
		t.Errorf("a foreign Host: status %d, want 421", got)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ready(s); got != http.StatusServiceUnavailable {
		t.Errorf("a server that drains: status %d, want 503", got)
	}
	if got := ready(start(t, failing{log})); got != http.StatusServiceUnavailable {
		t.Errorf("a store that does not answer: status %d, want 503", got)
	}
}

func start(t *testing.T, log chat.Log) *Server {
	t.Helper()
	s, err := New(Config{Log: log, Version: "0.0.0-test", Drain: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}
