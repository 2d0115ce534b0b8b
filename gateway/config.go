package gateway

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"time"
)

// Limits of API Gateway (Developer Guide, "Amazon API Gateway quotas", WebSocket APIs).
const (
	MaxFrame    = 32 << 10  // bytes of one frame from a client
	MaxMessage  = 128 << 10 // bytes of one message, either way
	idleTimeout = 10 * time.Minute
	maxDuration = 2 * time.Hour
)

// Deadlines against slow peers.
const (
	HeaderTimeout    = 5 * time.Second  // what http.Server.ReadHeaderTimeout should be
	HandshakeTimeout = 10 * time.Second // to take the answer to the handshake
	MessageTimeout   = 30 * time.Second // from a message's first byte to its last
	closeTimeout     = 4 * time.Second  // from the decision to close until TCP is closed
	lingerTimeout    = time.Second      // reading on after the close frame has left
)

// Config is what an API is made of. Only Stages is needed.
type Config struct {
	Stages []Stage
	// Routes has "$connect", "$disconnect", "$default" and custom route keys, for every stage that
	// has no routes of its own.
	Routes map[string]Route
	// RouteSelection is the route selection expression; default "$request.body.action".
	RouteSelection string

	APIID      string // default "local00000"
	Region     string // default "us-east-1"
	Account    string // default "000000000000"
	DomainName string // of the events; default: the host that the client used
	// Endpoint is this gateway's own @connections endpoint as targets carry it. Targets with
	// another one, which is not empty, are posted to over HTTP.
	Endpoint string
	// Credentials maps access key ids to secret keys: who may call @connections, and the first
	// in order of id signs posts to other endpoints.
	Credentials map[string]string
	// APIKeys are the keys of usage plans, for a $connect route that requires one.
	APIKeys []string
	// APIKeySource is the API key selection expression: "$request.header.x-api-key", the default,
	// or "$context.authorizer.usageIdentifierKey".
	APIKeySource string
	// MayManage tells whether the caller with the access key may call @connections on the
	// resource, which is always like arn:aws:execute-api:us-east-1:000000000000:local00000/prod/
	// POST/@connections/{connectionId}: AWS puts no id there. Default: who has credentials may.
	MayManage func(accessKey, resource string) bool
	// ServeConnections answers /{stage}/@connections/{id}; otherwise those URLs are 403.
	ServeConnections bool

	// Knobs choose where it is not certain what AWS does.
	Knobs Knobs

	// NewConnections limits handshakes; those over it are answered 429. 0: AWS's 500 a second;
	// negative: no limit.
	NewConnections Throttle
	// Requests limits messages and @connections calls together, as AWS does for an account; those
	// over it come to nothing, with the error frame Too Many Requests or 429. The API's own methods
	// are not limited. 0: AWS's 10,000 a second, 5,000 at once; negative: no limit.
	Requests Throttle

	// Serial handles the messages of a connection one at a time and in order. By default they
	// run at once, as AWS may run them.
	Serial bool
	// PingAfter is the silence after which a connection is pinged, DropAfter the one after which
	// it is closed with 1006. 0: never, as on AWS.
	PingAfter, DropAfter time.Duration
	// IdleTimeout closes a connection without data frames either way with 1001, MaxDuration any.
	// 0: AWS's 10 minutes and 2 hours; negative: never.
	IdleTimeout, MaxDuration time.Duration
	// MaxQueueFrames and MaxQueueBytes bound what waits for one slow client; default 256, 1 MiB.
	MaxQueueFrames, MaxQueueBytes int
	// StallTimeout closes with 1013 a connection whose socket has taken nothing of what waits for
	// so long; default 10 s.
	StallTimeout time.Duration
	// OnDrain is called once when a connection that had frames dropped has drained its queue.
	OnDrain func(connectionID string)
	// Forbidden gives the message of the 403 for an unknown stage or a plain GET; default
	// "Forbidden".
	Forbidden func(r *http.Request) string

	Now        func() time.Time // default time.Now
	Rand       io.Reader        // of ids; default crypto/rand.Reader
	Logger     *slog.Logger     // default: none
	HTTPClient *http.Client     // for posts to other endpoints; default a pooled one
}

// withDefaults checks c and fills in what is not set.
func (c Config) withDefaults() (Config, error) {
	if len(c.Stages) == 0 {
		return c, errors.New("gateway: no stage")
	}
	c.Routes = maps.Clone(c.Routes)
	setDefault(&c.RouteSelection, "$request.body.action")
	setDefault(&c.APIKeySource, keyInHeader)
	if c.APIKeySource != keyInHeader && c.APIKeySource != keyOfAuthorizer {
		return c, fmt.Errorf("gateway: API key source %q: %s or %s only", c.APIKeySource, keyInHeader,
			keyOfAuthorizer)
	}
	setDefault(&c.APIID, "local00000")
	setDefault(&c.Region, "us-east-1")
	setDefault(&c.Account, "000000000000")
	setDefault(&c.NewConnections, newConnections)
	setDefault(&c.Requests, accountRequests)
	for _, t := range []Throttle{c.NewConnections, c.Requests} {
		if err := t.check(); err != nil {
			return c, fmt.Errorf("gateway: %w", err)
		}
	}
	setDefault(&c.IdleTimeout, idleTimeout)
	setDefault(&c.MaxDuration, maxDuration)
	setDefault(&c.MaxQueueFrames, 256)
	setDefault(&c.MaxQueueBytes, 1<<20)
	setDefault(&c.StallTimeout, 10*time.Second)
	setDefault(&c.Logger, slog.New(slog.DiscardHandler))
	if c.OnDrain == nil {
		c.OnDrain = func(string) {}
	}
	if c.Forbidden == nil {
		c.Forbidden = func(*http.Request) string { return "Forbidden" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return c, nil
}

func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
