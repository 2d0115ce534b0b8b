package serve

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/store/memstore"
)

// TestServer_revocations disables bob again and again while his devices connect as fast as they can:
// each time no connection of his is open a second later (G17).
func TestServer_revocations(t *testing.T) {
	const rounds, devices = 20, 5
	s := newServer(t, Config{Sessions: memstore.NewSessions()})
	house := httptest.NewServer(s)
	defer house.Close()
	desk, ctx := s.Desk(), t.Context()
	link, _, err := desk.Invite(ctx, nil, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, bob, err := desk.SignIn(ctx, link, "bob", "")
	if err != nil {
		t.Fatal(err)
	}
	var opened atomic.Int64
	late := 0
	for range rounds {
		session, _, err := desk.Open(ctx, bob.Account, "")
		if err != nil {
			t.Fatal(err)
		}
		var rush sync.WaitGroup
		var stay atomic.Bool
		for range devices {
			rush.Go(func() { rushIn(ctx, house.URL, session, &opened, &stay) })
		}
		for before := opened.Load(); opened.Load() < before+devices; {
			time.Sleep(100 * time.Microsecond) // they are at it
		}
		stay.Store(true)
		if _, err := desk.Disable(ctx, nil, "bob", true); err != nil {
			t.Fatal(err)
		}
		if err := s.handler.Revoke(ctx, "bob", "", "disabled"); err != nil {
			t.Error(err)
		}
		begin := time.Now()
		for ; s.Stats().Open > 0; time.Sleep(time.Millisecond) {
			if time.Since(begin) > time.Minute {
				t.Fatalf("%d connections are open a minute after bob was disabled", s.Stats().Open)
			}
		}
		if time.Since(begin) > time.Second {
			late++
		}
		rush.Wait() // all are refused
		if _, err := desk.Disable(ctx, nil, "bob", false); err != nil {
			t.Fatal(err)
		}
	}
	if late > rounds/4 { // a machine that does other things may take longer now and then
		t.Errorf("%d of %d times it took longer than a second (G17)", late, rounds)
	}
	t.Logf("revocations=%d connections=%d", rounds, opened.Load())
}

// rushIn connects, says something and connects again, until it is refused. When told to stay it does,
// in silence, as long as it is let.
func rushIn(ctx context.Context, url, session string, opened *atomic.Int64, stay *atomic.Bool) {
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + session}}}
	socket := "ws" + strings.TrimPrefix(url, "http") + "/production"
	for ctx.Err() == nil {
		conn, response, err := websocket.Dial(ctx, socket, options) //nolint:bodyclose // the library closes it
		if err != nil {
			if response != nil && response.StatusCode == http.StatusUnauthorized {
				return
			}
			continue
		}
		opened.Add(1)
		err = conn.Write(ctx, websocket.MessageText, []byte(`{"action":"getConnectionId"}`))
		if err == nil {
			_, _, err = conn.Read(ctx)
		}
		if err == nil && stay.Load() {
			_, _, err = conn.Read(ctx) // until it is closed
		}
		if err != nil && ctx.Err() != nil {
			return
		}
		conn.CloseNow()
	}
}
