package gateway

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Stage is one deployment of the API, the first segment of its URLs.
type Stage struct {
	Name      string            // letters, digits, - and _, at most 128; AWS keeps ping and sping
	Variables map[string]string // stageVariables of every event; none: the key is absent
	// Routes is what is deployed to this stage; nil: Config.Routes.
	Routes map[string]Route
	// Throttle limits each route that has no Throttle of its own, as AWS's DefaultRouteSettings.
	// 0: no limit but Config.Requests.
	Throttle Throttle
	// AccessLog has a line for everything that comes to the stage. None: its zero value.
	AccessLog AccessLog
}

// Route is a route of the API with its integration.
type Route struct {
	// Handler is the integration: a Lambda function as a Go value, or what [Mock] gives.
	Handler Handler
	// Timeout is how long the gateway waits for Handler, which is not told and may go on, as a
	// Lambda function does; what it gives then is dropped. AWS has 50 ms to 29 s; 0: 29 s. Negative:
	// for ever; the handler then runs on the gateway's own goroutine.
	Timeout time.Duration
	// Response says that the route has the route response $default: the body of what Handler gives
	// goes to the sender as a text frame. $connect and $disconnect have none.
	Response bool
	// Throttle limits the route in its stage, as AWS's RouteSettings. What is over it does not reach
	// Handler: a message is answered with the error frame Too Many Requests, a handshake with 429.
	// $disconnect knows none. 0: the stage's; negative: no limit.
	Throttle Throttle

	// Who may connect; for $connect only. An authorizer is asked before the API key is looked at.
	Authorizer     *Authorizer // authorization type CUSTOM
	IAM            bool        // AWS_IAM: the handshake is signed with one of Config.Credentials
	APIKeyRequired bool        // the handshake has one of Config.APIKeys
}

// The routes that every API knows.
const (
	ConnectRoute    = "$connect"
	DisconnectRoute = "$disconnect"
	DefaultRoute    = "$default"
)

// integrationTimeout is how long API Gateway waits for an integration (Developer Guide, "Amazon API
// Gateway quotas", WebSocket APIs).
const integrationTimeout = 29 * time.Second

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// stage is a stage with what is deployed to it now.
type stage struct {
	name string
	live atomic.Pointer[deployment]
}

// deployment is what a stage serves until the next one.
type deployment struct {
	variables map[string]string
	routes    map[string]*route
	log       *accessLog // nil: none
}

// route is a route with its key, as the event carries it.
type route struct {
	Route
	key    string
	bucket *rate.Limiter // nil: no limit
}

// Deploy puts a stage's variables and routes in place of those that the stage of that name has, or
// adds it. Connections that are open meet them at their next event, as on AWS.
func (a *API) Deploy(s Stage) error {
	if err := checkStage(s.Name); err != nil {
		return err
	}
	if s.Routes == nil {
		s.Routes = a.cfg.Routes
	}
	log, err := s.AccessLog.parse()
	if err != nil {
		return fmt.Errorf("gateway: stage %q: %w", s.Name, err)
	}
	d := &deployment{
		variables: maps.Clone(s.Variables), routes: make(map[string]*route, len(s.Routes)), log: log,
	}
	for key, r := range s.Routes {
		if err := r.check(key); err != nil {
			return fmt.Errorf("gateway: route %q: %w", key, err)
		}
		setDefault(&r.Timeout, integrationTimeout)
		setDefault(&r.Throttle, s.Throttle)
		if err := r.Throttle.check(); err != nil {
			return fmt.Errorf("gateway: route %q: %w", key, err)
		}
		d.routes[key] = &route{r, key, r.Throttle.bucket()}
	}
	added := &stage{name: s.Name}
	added.live.Store(d) // first: who finds a stage finds what is deployed to it
	if have, ok := a.stages.LoadOrStore(s.Name, added); ok {
		have.(*stage).live.Store(d)
	}
	return nil
}

func checkStage(name string) error {
	if !stageName.MatchString(name) {
		return fmt.Errorf("gateway: stage %q: letters, digits, - and _ only", name)
	}
	if name == "ping" || name == "sping" {
		return fmt.Errorf("gateway: stage %q: /ping and /sping are API Gateway's own", name)
	}
	return nil
}

// check refuses what API Gateway refuses: keys with $ but its own three.
func (r *Route) check(key string) error {
	own := key == ConnectRoute || key == DisconnectRoute || key == DefaultRoute
	switch {
	case key == "" || strings.HasPrefix(key, "$") && !own:
		return errors.New("only $connect, $disconnect and $default begin with $")
	case r.Handler == nil:
		return errors.New("there is no handler")
	case r.Response && (key == ConnectRoute || key == DisconnectRoute):
		return errors.New("a route response is for messages only")
	}
	return r.checkAdmission(key)
}

// checkAdmission refuses who-may-connect where it means nothing.
func (r *Route) checkAdmission(key string) error {
	switch {
	case key != ConnectRoute && (r.Authorizer != nil || r.IAM || r.APIKeyRequired):
		return errors.New("only $connect has an authorizer, AWS_IAM or an API key")
	case r.Authorizer != nil && r.IAM:
		return errors.New("there is an authorizer or AWS_IAM, not both")
	case r.Authorizer != nil:
		return r.Authorizer.check()
	}
	return nil
}

// stage finds a stage, nil where there is none.
func (a *API) stage(name string) *stage {
	s, ok := a.stages.Load(name)
	if !ok {
		return nil
	}
	return s.(*stage)
}

// route finds the route of a message; nil: there is none, not even $default.
func (c *connection) route(body string) *route {
	routes := c.stage.live.Load().routes
	var buf [64]byte
	selected, ok := c.api.selection.eval(body, buf[:0])
	if ok && (len(selected) == 0 || selected[0] != '$') {
		if r := routes[string(selected)]; r != nil {
			return r
		}
	}
	return routes[DefaultRoute]
}
