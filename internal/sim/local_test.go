//go:build !race

package sim_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// plant is what stands between the chat and what it calls; nil is nothing.
type plant struct {
	log    func(chat.Log) chat.Log
	conns  func(chat.Connections) chat.Connections
	poster func(chatapi.Poster) chatapi.Poster
}

// local is the server within the test, over SQLite, with a plant.
type local struct {
	plant  plant
	data   string
	addr   string
	ahead  atomic.Int64 // nanoseconds that its clock is ahead of the system's
	conns  chat.Connections
	store  *sqlitestore.Store
	server *serve.Server
	public *http.Server
}

func newLocal(tb testing.TB, p plant) *local {
	tb.Helper()
	l := &local{plant: p, data: filepath.Join(tb.TempDir(), "data"), addr: sim.FreeAddr(tb)}
	l.restart(tb)
	tb.Cleanup(func() { l.crash(tb) })
	return l
}

func (l *local) url() string { return "ws://" + l.addr + "/production" }

func (l *local) now() time.Time { return time.Now().Add(time.Duration(l.ahead.Load())) }

// dropped is how many frames slow readers have lost.
func (l *local) dropped(testing.TB) int {
	n := 0
	for _, count := range l.server.Stats().Dropped {
		n += int(count)
	}
	return n
}

func (l *local) restart(tb testing.TB) {
	tb.Helper()
	var err error
	if l.store, err = sqlitestore.Open(l.data, sqlitestore.Options{Now: l.now}); err != nil {
		tb.Fatal(err)
	}
	var log chat.Log = l.store
	if l.plant.log != nil {
		log = l.plant.log(log)
	}
	l.conns = memstore.NewConnections(memstore.Options{Now: l.now})
	if l.plant.conns != nil {
		l.conns = l.plant.conns(l.conns)
	}
	l.server, err = serve.New(serve.Config{
		Log: log, Connections: l.conns, WrapPoster: l.plant.poster, Now: l.now, Drain: time.Millisecond,
		QueueFrames: 16, PingAfter: time.Hour, DropAfter: time.Hour, // the clock may jump
	})
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.addr)
	if err != nil {
		tb.Fatal(err)
	}
	l.addr = listener.Addr().String()
	l.public = &http.Server{Handler: l.server, ReadHeaderTimeout: 5 * time.Second}
	go l.public.Serve(listener)
}

// crash ends the server. What the store has not been given is lost.
func (l *local) crash(tb testing.TB) {
	tb.Helper()
	if l.public == nil {
		return
	}
	_ = l.public.Close() // the listener may be gone
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.server.Shutdown(ctx); err != nil {
		tb.Errorf("shutdown: %v", err)
	}
	if err := l.store.Close(); err != nil {
		tb.Errorf("close the store: %v", err)
	}
	l.public = nil
}
