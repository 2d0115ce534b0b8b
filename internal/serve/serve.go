// Package serve is the laptop host: gateway, chat and stores wired together in one process.
//
// The gateway calls the chat's handler directly, connections live in memory because they die with
// the process, and a worker per room posts straight to the sockets.
package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/web"
	"github.com/confab-chat/confab/wire"
)

// Values of the laptop host that no flag changes.
const (
	heartbeat  = 10 * time.Second // welcome.heartbeatSeconds
	pipeline   = 32               // unacknowledged sends of a client
	pingAfter  = 5 * time.Second  // silence after which the gateway pings
	dropAfter  = 15 * time.Second // silence after which a connection is dead
	sweepEvery = time.Second
	roomQueue  = 1024 // events waiting in a room before its senders wait
)

// Config is a server. The zero value of a field is its default.
type Config struct {
	Log              chat.Log         // where messages are kept; closed by who opened it
	Sessions         auth.Sessions    // who may sign in; nil: anybody by any name
	Proxy            *Proxy           // signs people in instead of links; needs Sessions and TrustedProxies
	OIDC             *auth.OIDCConfig // an issuer that does, instead of links; needs Sessions
	SessionLife      time.Duration    // of a device at most; default auth.SessionLife
	Stages           []string         // default production, dev, Prod
	Dialect          string
	AllowedOrigins   []string
	AllowedHosts     []string          // beside loopback and the address that is listened on
	PublicURL        *url.URL          // where people reach it: adds a host and an origin; nil: none
	TrustedProxies   []netip.Prefix    // peers whose X-Forwarded-* headers count
	Endpoint         string            // of the @connections API, as rows carry it; "": one process
	Connections      chat.Connections  // default a memstore of its own
	Credentials      map[string]string // of the @connections API; empty: it is not served
	Version          string
	Notice           string // that welcome and the page have for people
	Rate, Burst      int    // actions a second of a connection
	AddressRate      int    // the same of an address that is not loopback; burst twice that
	QueueFrames      int
	QueueBytes       int
	ResumeMax        int
	Retention        time.Duration // how long rooms keep messages that do not say; 0: for ever
	Drain            time.Duration // how long Shutdown waits for clients to go by themselves
	PingAfter        time.Duration
	DropAfter        time.Duration
	StallTimeout     time.Duration
	Now              func() time.Time
	Logger           *slog.Logger
	Metrics          *Metrics      // nil: the server's own
	MaxConnectionAge time.Duration // 0: none, as on the laptop; tests play AWS's 2 h with it
	// WrapPoster puts something between the chat and the sockets: tests plant faults there.
	WrapPoster func(chatapi.Poster) chatapi.Poster
}

// DefaultStages are the names that write-ups of serverless chats give their stage.
var DefaultStages = []string{"production", "dev", "Prod"}

// Server is the running chat. It is an http.Handler for the public listener.
type Server struct {
	config  Config
	api     *gateway.API
	handler *chatapi.Handler
	rooms   *chatapi.Rooms
	tasks   *chatapi.Local
	since   time.Time

	desk         *auth.Service // nil in open mode
	oidc         *auth.OIDC    // nil: no issuer signs people in
	pages        *web.Page
	signIn       http.Handler
	signInConfig signin.Config
	stop         context.CancelFunc
	sweeper      sync.WaitGroup
	kept         chan struct{} // holds one token while rooms are to be looked through
	drains       atomic.Bool
}

// New wires a server and starts its sweep. Shutdown ends it.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	s := &Server{config: c, rooms: chatapi.NewRooms(roomQueue), tasks: &chatapi.Local{}, since: c.Now()}
	s.kept = make(chan struct{}, 1)
	if err := s.wireGateway(); err != nil {
		return nil, err
	}
	if err := s.wireSignIn(); err != nil {
		return nil, err
	}
	if err := s.wirePage(); err != nil {
		return nil, err
	}
	s.handler = chatapi.New(chatapi.Config{
		Service:        chat.NewService(c.Log, c.Connections, c.Now),
		Poster:         c.WrapPoster(s.api),
		Deferrer:       s.tasks,
		Identify:       s.identify(),
		Still:          s.still(),
		Note:           s.noteOf,
		CheckDisplay:   s.checkDisplay(),
		Rooms:          s.rooms,
		Limit:          newAddressLimiter(c.AddressRate, c.Now).allow,
		Version:        c.Version,
		Notice:         c.Notice,
		Dialect:        wire.Dialect(c.Dialect),
		AllowedOrigins: c.AllowedOrigins,
		Endpoint:       c.Endpoint,
		Heartbeat:      heartbeat,
		Pipeline:       pipeline,
		MaxConnection:  c.MaxConnectionAge,
		ResumeMax:      c.ResumeMax,
		ExcessMax:      c.Burst,
		Now:            c.Now,
		Sleep:          chatapi.Sleep,
		Jitter:         jitter,
		Logger:         c.Logger,
		Observe:        c.Metrics,
	})
	s.tasks.Handler = s.handler
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.sweeper.Go(func() { s.sweep(ctx) })
	if log, err := s.retainer(); err == nil {
		s.sweeper.Go(func() { s.expire(ctx, log) })
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	set(&c.Rate, 2000)
	set(&c.Burst, 2*c.Rate)
	set(&c.AddressRate, 5*c.Rate)
	set(&c.PingAfter, pingAfter)
	set(&c.DropAfter, dropAfter)
	c.AllowedHosts = slices.Clone(c.AllowedHosts)
	for i, host := range c.AllowedHosts {
		c.AllowedHosts[i] = strings.ToLower(host)
	}
	if c.PublicURL != nil {
		c.AllowedHosts = append(c.AllowedHosts, c.PublicURL.Hostname())
		c.AllowedOrigins = append(slices.Clone(c.AllowedOrigins), c.PublicURL.String())
	}
	if len(c.Stages) == 0 {
		c.Stages = DefaultStages
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.WrapPoster == nil {
		c.WrapPoster = func(p chatapi.Poster) chatapi.Poster { return p }
	}
	if c.Connections == nil {
		limits := memstore.Options{Now: c.Now, Rate: c.Rate, Burst: c.Burst}
		c.Connections = memstore.NewConnections(limits)
	}
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (s *Server) wireGateway() error {
	c := s.config
	routes := map[string]gateway.Route{}
	for _, key := range append(chatapi.Actions(), "$connect", "$disconnect", "$default") {
		routes[key] = gateway.Route{Handler: gateway.HandlerFunc(s.handle), Timeout: -1}
	}
	stages := make([]gateway.Stage, len(c.Stages))
	for i, name := range c.Stages {
		stages[i] = gateway.Stage{Name: name}
	}
	age := c.MaxConnectionAge
	if age == 0 {
		age = -1
	}
	unlimited := gateway.Throttle{Rate: -1} // the chat has limits of its own
	var err error
	s.api, err = gateway.New(gateway.Config{
		Stages: stages, Routes: routes, Endpoint: c.Endpoint,
		Credentials: c.Credentials, ServeConnections: len(c.Credentials) > 0,
		Serial: true, PingAfter: c.PingAfter, DropAfter: c.DropAfter, IdleTimeout: -1, MaxDuration: age,
		MaxQueueFrames: c.QueueFrames, MaxQueueBytes: c.QueueBytes, StallTimeout: c.StallTimeout,
		NewConnections: unlimited, Requests: unlimited,
		OnDrain: s.resync, Forbidden: s.forbidden, Now: c.Now, Logger: c.Logger,
	})
	return err
}

func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var connections rush
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.tidy(&connections)
		if err := s.handler.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.config.Logger.ErrorContext(ctx, "failed", "op", "sweep", "error", err)
		}
	}
}

// resync runs when a connection whose frames were dropped reads again.
func (s *Server) resync(connectionID string) {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.DropAfter)
	defer cancel()
	if err := s.handler.Resync(ctx, connectionID); err != nil {
		s.config.Logger.ErrorContext(ctx, "failed", "op", "resync", "error", err)
	}
}

// Stats gives the gateway's counters.
func (s *Server) Stats() gateway.Stats { return s.api.Stats() }

// API is the gateway, for tests that look at it from inside.
func (s *Server) API() *gateway.API { return s.api }

// Shutdown asks the clients to reconnect elsewhere or later, waits at most Config.Drain for them
// to go, closes the rest with 1012, and returns when everything that was accepted is done.
func (s *Server) Shutdown(ctx context.Context) error {
	s.drains.Store(true)
	s.stop()
	s.sweeper.Wait()
	err := s.handler.Drain(ctx, s.config.Drain)
	s.waitForClients(ctx)
	err = errors.Join(err, s.api.Shutdown(ctx, chatapi.CloseRestart, "the server restarts"))
	s.tasks.Wait() // a task may make a room busy, and a room may make tasks
	s.rooms.Wait()
	s.tasks.Wait()
	return err
}

func (s *Server) waitForClients(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Drain)
	defer cancel()
	for s.api.Stats().Open > 0 && chatapi.Sleep(ctx, 20*time.Millisecond) == nil {
	}
}

func jitter(n int) int {
	r, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0
	}
	return int(r.Int64())
}
