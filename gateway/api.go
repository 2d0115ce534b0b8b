package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/warm"
)

// background is the context of every message: nothing but the handler itself limits its handling.
var background = context.Background()

// API is one WebSocket API with its stages and connections. Its methods may be called from several
// goroutines.
type API struct {
	cfg       Config
	terms     *terms
	stages    sync.Map // of *stage by name
	selection *selection
	ids       *ids
	started   time.Time
	tick      time.Duration // how often the watch looks at the clock
	look      time.Duration // how often a wait for an integration does
	second    atomic.Pointer[second]
	stats     *stats
	// Buckets of Config.NewConnections and Config.Requests; nil: no limit.
	handshakes, requests *rate.Limiter
	remote               remotes
	logging              sync.Mutex // of access logs

	// work counts every goroutine that is the API's: readers, flushers, handlers.
	work    sync.WaitGroup
	workers *warm.Pool[job] // of messages

	mu       sync.RWMutex
	conns    map[string]*connection // until their reader has ended
	unwatch  chan struct{}          // ends the watch; nil while there is no connection
	poller   *poller                // of plain sockets; nil while there is no connection
	draining bool
	// Milliseconds: when the open connections began, in sum, and how long the others have lasted.
	sinces, connected int64
}

// New makes an API. It holds nothing that has to be closed until the first connection comes.
func New(cfg Config) (*API, error) {
	look := lookOf(cfg.Now)
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	selection, err := parseSelection(cfg.RouteSelection)
	if err != nil {
		return nil, err
	}
	selection.first = cfg.Knobs.FirstKeyWins
	a := &API{
		cfg: cfg, terms: awsTerms, selection: selection,
		ids: newIDs(cfg.APIID, cfg.Rand, cfg.Knobs.ClassicIDs), started: cfg.Now(), tick: tickOf(&cfg), look: look,
		stats: newStats(), conns: map[string]*connection{},
		workers:    warm.NewPool(job.work),
		handshakes: cfg.NewConnections.bucket(), requests: cfg.Requests.bucket(),
	}
	for _, s := range cfg.Stages {
		if err := a.Deploy(s); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// ServeHTTP answers the handshakes of /{stage}, the @connections API under it, and 403 to the rest.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	stage := a.stage(name)
	api, id, _ := strings.Cut(rest, "/")
	switch {
	case stage == nil:
		a.forbid(w, r)
	case api == "@connections" || strings.EqualFold(api, "%40connections"):
		if log := stage.live.Load().log; log != nil && a.cfg.ServeConnections {
			a.logCalls(log, w, r, stage, id)
			return
		}
		a.serveConnections(w, r, name, id)
	case rest != "" || !isUpgrade(r):
		a.forbid(w, r)
	default:
		a.handshake(w, r, stage)
	}
}

// forbid answers what names no stage, or a stage without being a handshake.
func (a *API) forbid(w http.ResponseWriter, r *http.Request) {
	a.stats.refuse(CauseStage)
	a.answer(w, http.StatusForbidden, "ForbiddenException", a.cfg.Forbidden(r))
}

// add makes a connection known, unless the API is shutting down. Whether it has a poller is final.
func (a *API) add(c *connection) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		return false
	}
	if a.unwatch == nil {
		a.wake()
	}
	if a.poller != nil {
		a.poller.adopt(c)
	}
	a.conns[c.id] = c
	a.sinces += c.since.UnixMilli()
	a.stats.total.Add(1)
	a.work.Add(1) // the reader
	return true
}

// wake starts what runs while there is a connection. a.mu is held.
func (a *API) wake() {
	a.unwatch = make(chan struct{})
	go a.watch(a.unwatch)
	a.workers.Open()
	var err error
	if a.poller, err = newPoller(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		a.cfg.Logger.Warn("each connection needs a goroutine", "error", err)
	}
}

// remove forgets a connection.
func (a *API) remove(c *connection) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, c.id)
	a.sinces -= c.since.UnixMilli()
	a.connected += a.cfg.Now().Sub(c.since).Milliseconds()
	if len(a.conns) == 0 {
		close(a.unwatch)
		a.unwatch = nil
		a.workers.Close()
		if a.poller != nil {
			a.poller.close()
			a.poller = nil
		}
	}
}

func (a *API) lookup(id string) *connection {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.conns[id]
}

func (a *API) open() int {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return len(a.conns)
}

// own tells whether a target is one of this API's connections.
func (a *API) own(t connections.Target) bool {
	return t.Endpoint == "" || t.Endpoint == a.cfg.Endpoint
}

// Shutdown refuses new handshakes with 503, closes every connection with the code and reason, and
// waits until all handlers, $disconnect included, have returned. When ctx ends first, TCP is cut
// and ctx's error returned; handlers may then still be running, and handshakes wait for theirs.
func (a *API) Shutdown(ctx context.Context, code int, reason string) error {
	why, err := newClosing(code, reason, CauseShutdown)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.draining = true
	all := make([]*connection, 0, len(a.conns))
	for _, c := range a.conns {
		all = append(all, c)
	}
	a.mu.Unlock()
	for _, c := range all {
		c.end(why, false)
	}
	finished := make(chan struct{})
	go func() {
		a.work.Wait()
		close(finished)
	}()
	defer a.remote.close()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		for _, c := range all {
			c.kill()
		}
		return ctx.Err()
	}
}
