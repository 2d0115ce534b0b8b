package testenv

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/meter"
	"github.com/confab-chat/confab/internal/rehearsal"
)

// Credentials sign the @connections calls of every host.
const (
	AccessKey = "TESTKEY"
	SecretKey = "test-secret"
)

// Options change a system. The zero value of a field is the host's own default.
type Options struct {
	Gateways  int // on one store; default 1
	Rate      int // actions a second of a connection; the default does not get in the way
	Burst     int
	ResumeMax int
	OneByOne  bool // cold only: one event or task at a time, none doubled
	// Stage is the first part of the URLs, production by default, or dev, or Prod. Dialect is that
	// of connections that name none, native by default.
	Stage, Dialect string
	// DoubleOneIn delivers one event in so many twice, 0: one in 20, negative: none; cold only.
	DoubleOneIn int
	// QueueFrames bounds what waits for a slow reader; direct only. WriteBuffer is what the server's
	// sockets hold besides, in bytes.
	QueueFrames    int
	WriteBuffer    int
	AllowedOrigins []string
	Issuer         string // whose tokens say who somebody is; rehearsal only
	// Metered counts what AWS would bill, in Env.Meter and Env.Usage, and leaves the sweeps to the test:
	// rehearsal only.
	Metered bool
	// Own asks for a system that begins empty, as one that others have used does not: not aws.
	Own bool
	Now func() time.Time
	// Log gets what the system logs, of every level; by default nothing does.
	Log io.Writer
	// WrapHandler gets what each cold start has made; cold only.
	WrapHandler func(Handler) Handler
	// Faults stand between the parts of a rehearsal.
	Faults *Faults
	// WrapLog and WrapConnections put a fault between the chat and its stores.
	WrapLog         func(chat.Log) chat.Log
	WrapConnections func(chat.Connections) chat.Connections
}

// Env is a running system.
type Env struct {
	Host  string // direct, cold, rehearsal or aws
	Store string // memstore, sqlitestore or dynamostore
	// URLs are the gateways' WebSocket URLs, each with its stage.
	URLs []string
	// ResumeMax is how many missed messages of a room a resume sends by itself.
	ResumeMax int
	// Log and Connections are the stores behind the system; there users and rooms are as Name has them.
	Log         chat.Log
	Connections chat.Connections
	// Invoke gives the function an event beside the gateway; Endpoint is what the deployment calls its
	// own. Rehearsal and aws only.
	Invoke   func(payload []byte) ([]byte, error)
	Endpoint string
	// Meter counts what the tables are asked, Usage the rest; AccessKey is what a function signs with.
	// Rehearsal only, and Meter where it was asked for.
	Meter     *meter.Proxy
	Usage     func() rehearsal.Usage
	AccessKey func(function string) string
	// Dropped tells how many pushes were dropped for slow readers; direct only.
	Dropped func() uint64
	stack   string // name of a rehearsal's
	names   *names // on a stage that is used by others too
	stop    []func()
	stopped sync.Once
}

type combination struct{ Host, Store string }

// Combinations are the hosts and stores that every end-to-end test runs on, in this process.
var Combinations = []combination{
	{"direct", "memstore"},
	{"direct", "sqlitestore"},
	{"cold", "memstore"},
	{"cold", "dynamostore"},
}

// Each runs a test as parallel subtests, one on every combination, and on the rehearsal unless the
// options ask for what it has not. Where the environment names a stage that is deployed, the test runs on
// it too, if it may.
func Each(t *testing.T, o Options, test func(t *testing.T, e *Env)) {
	all := Combinations
	if o.Gateways < 2 && o.Stage == "" && o.ResumeMax == 0 && o.WrapLog == nil && o.WrapConnections == nil {
		all = append(slices.Clone(all), combination{"rehearsal", "dynamostore"})
		if o.hasStage() {
			all = append(all, combination{"aws", "dynamostore"})
		}
	}
	for _, c := range all {
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			if c.Host != "aws" {
				t.Parallel()
			}
			test(t, Start(t, c.Host, c.Store, o))
		})
	}
}

// Start runs a system until the test ends.
func Start(tb testing.TB, host, store string, o Options) *Env {
	tb.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	set(&o.Gateways, 1)
	set(&o.Rate, 100_000)
	set(&o.Burst, 2*o.Rate)
	if o.Stage == "" {
		o.Stage = "production"
	}
	e := &Env{Host: host, Store: store}
	switch host {
	case "rehearsal":
		tb.Cleanup(e.Stop)
		startRehearsal(tb, e, o)
		return e
	case "aws":
		tb.Cleanup(e.Stop)
		startStage(tb, e)
		return e
	}
	b := openStore(tb, e, o)
	tb.Cleanup(e.Stop) // before the store goes
	listeners := make([]net.Listener, o.Gateways)
	for i := range listeners {
		listeners[i] = listen(tb)
		e.URLs = append(e.URLs, "ws://"+listeners[i].Addr().String()+"/"+o.Stage)
	}
	for _, l := range listeners {
		endpoint := ""
		if o.Gateways > 1 || host == "cold" {
			endpoint = "http://" + l.Addr().String() + "/" + o.Stage
		}
		server := &http.Server{ReadHeaderTimeout: 5 * time.Second, ConnContext: o.limitBuffer}
		done := make(chan struct{})
		e.stop = append(e.stop, func() {
			_ = server.Close()
			<-done
		})
		if host == "direct" {
			server.Handler = startDirect(tb, e, b, endpoint, o)
		} else {
			server.Handler = startCold(tb, e, b, endpoint, o)
		}
		go func() {
			defer close(done)
			_ = server.Serve(l) // ends with ErrServerClosed
		}()
	}
	return e
}

// limitBuffer sets WriteBuffer on an accepted connection.
func (o Options) limitBuffer(ctx context.Context, conn net.Conn) context.Context {
	if tcp, ok := conn.(*net.TCPConn); ok && o.WriteBuffer > 0 {
		_ = tcp.SetWriteBuffer(o.WriteBuffer) // a hint to the system
	}
	return ctx
}

func set(field *int, value int) {
	if *field == 0 {
		*field = value
	}
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// Stop ends the system in good order, the last started first; the end of the test does it too.
func (e *Env) Stop() {
	e.stopped.Do(func() {
		for i := len(e.stop) - 1; i >= 0; i-- {
			e.stop[i]()
		}
	})
}

// URL gives a gateway's URL for a user.
func (e *Env) URL(gateway int, user string) string {
	if user == "" {
		return e.URLs[gateway]
	}
	return e.URLs[gateway] + "?name=" + url.QueryEscape(e.names.own(user))
}

// Name gives the name by which the system knows a user or room of the test's.
func (e *Env) Name(name string) string { return e.names.own(name) }

// logger shows the system's log where CONFAB_TEST_LOG is set, or the test asks for it.
func (o Options) logger() *slog.Logger {
	out := o.Log
	if out == nil && os.Getenv("CONFAB_TEST_LOG") != "" {
		out = os.Stderr
	}
	if out == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
