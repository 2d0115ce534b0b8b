package serve

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/wire"
)

// latencies are the buckets of what takes from a tenth of a millisecond to seconds.
var latencies = []float64{
	.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5,
}

// Metrics is what a server measures beside the gateway's counters. Labels have few values and no
// text of a user.
type Metrics struct {
	commits, operations, fanOut prometheus.Histogram
	stored, expired             prometheus.Counter
	resumes, errors, signIns    *prometheus.CounterVec
	resumed, reset              prometheus.Counter
}

var _ chatapi.Observer = (*Metrics)(nil)

// NewMetrics makes them, all zero. Of one server it is enough to leave Config.Metrics nil; who opens
// the store itself hands Committed to it.
func NewMetrics() *Metrics {
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		opts := prometheus.HistogramOpts{Namespace: "confab", Name: name, Help: help, Buckets: buckets}
		return prometheus.NewHistogram(opts)
	}
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "confab", Name: name, Help: help}
	}
	m := &Metrics{
		commits: histogram("commit_seconds", "Time of a commit of the store, with its sync.", latencies),
		operations: histogram("commit_operations", "Writes that one commit of the store had.",
			prometheus.ExponentialBuckets(1, 2, 11)),
		fanOut: histogram("fanout_seconds",
			"Time from when a room's first waiting event was there until it was handed to all sockets.",
			latencies),
		stored: prometheus.NewCounter(counter("chat_messages_total",
			"Chat messages that were stored and told to their rooms.")),
		expired: prometheus.NewCounter(counter("messages_expired_total",
			"Messages that were removed because their room does not keep them longer.")),
		resumes: prometheus.NewCounterVec(counter("resumes_total",
			"Cursors that clients came back with, by outcome."), []string{"outcome"}),
		errors: prometheus.NewCounterVec(counter("errors_total",
			"Actions that were answered with an error, by its code."), []string{"code"}),
		signIns: prometheus.NewCounterVec(counter("sign_ins_total",
			"Tries to sign in over HTTP, by outcome."), []string{"outcome"}),
	}
	m.resumed, m.reset = m.resumes.WithLabelValues("resumed"), m.resumes.WithLabelValues("reset")
	for _, outcome := range []string{signedIn, signInRefused, signInLimited, signInFailed} {
		m.signIns.WithLabelValues(outcome) // so that none is missing before it first happens
	}
	return m
}

// collectors are all of them.
func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{
		m.commits, m.operations, m.fanOut, m.stored, m.expired, m.resumes, m.errors, m.signIns,
	}
}

// Committed is the OnCommit of a sqlitestore.
func (m *Metrics) Committed(operations int, took time.Duration) {
	m.operations.Observe(float64(operations))
	m.commits.Observe(took.Seconds())
}

// FannedOut counts, see chatapi.Observer.
func (m *Metrics) FannedOut(messages int, took time.Duration) {
	if messages > 0 {
		m.stored.Add(float64(messages))
	}
	m.fanOut.Observe(took.Seconds())
}

// Resumed counts, see chatapi.Observer.
func (m *Metrics) Resumed(reset bool) {
	if reset {
		m.reset.Inc()
	} else {
		m.resumed.Inc()
	}
}

// Failed counts, see chatapi.Observer.
func (m *Metrics) Failed(code wire.Code) { m.errors.WithLabelValues(string(code)).Inc() }

// Outcomes of a try to sign in.
const (
	signedIn      = "signed in"
	signInRefused = "refused"
	signInLimited = "limited" // too many tries of one address
	signInFailed  = "failed"
)

// signInPaths are where somebody gets a session.
var signInPaths = map[string]bool{"/auth/sign-in": true, signin.CallbackPath: true}

// observeSignIn answers a request about signing in, and counts it where it is a try.
func (s *Server) observeSignIn(w http.ResponseWriter, r *http.Request) {
	if !signInPaths[r.URL.Path] {
		s.signIn.ServeHTTP(w, r)
		return
	}
	answer := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	s.signIn.ServeHTTP(answer, r)
	outcome := signedIn
	switch {
	case answer.status == http.StatusTooManyRequests:
		outcome = signInLimited
	case answer.status >= http.StatusInternalServerError:
		outcome = signInFailed
	case answer.status >= http.StatusBadRequest:
		outcome = signInRefused
	}
	s.config.Metrics.signIns.WithLabelValues(outcome).Inc()
}

// statusWriter remembers an answer's status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap gives what it wraps, for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
