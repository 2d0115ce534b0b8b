package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/lambdahost"
)

// Target is where a stack is deployed to. Only Host is needed.
type Target struct {
	Host *lambdahost.Host
	// DynamoDB is the URL of an engine that tables are made in; "": none are made.
	DynamoDB string
	// Credentials are those of all functions and of the calls that make tables, as engines keep
	// tables by them; default some that are worth nothing.
	Credentials lambdahost.Credentials

	// Prepare, unless nil, may change what is deployed of a function, as its environment.
	Prepare func(f *Function, deployed *lambdahost.Function)
	// Configure, unless nil, may change what an API is made of, but for its stages.
	Configure func(api *API, config *gateway.Config)
	// AccessLog, unless nil, gives what the access log of a stage is written to; without it there
	// is none.
	AccessLog func(api *API, s *Stage) io.Writer
	// Invoke, unless nil, is called in place of Host.Invoke for each event, by which it can be
	// followed.
	Invoke func(ctx context.Context, c Call, in lambdahost.Input) (lambdahost.Output, error)
	// Warn, unless nil, is told what API Gateway merely tolerates in an answer of a function.
	Warn func(c Call, text string)
	// Logger is for APIs; default: none.
	Logger *slog.Logger
}

// Call is an event on its way from an API to a function.
type Call struct {
	API        *API
	Stage      *Stage
	Route      *Route
	Authorizer bool   // it is for the route's authorizer
	RequestID  string // of the event, as API Gateway counts
	// ConnectionID is of the connection that the event is about.
	ConnectionID string
}

// credentials sign requests that no real service accepts.
var credentials = lambdahost.Credentials{
	AccessKeyID: "ASIACONFABSTACK00000", SecretAccessKey: "confab", SessionToken: "confab",
}

// Deployment is a stack at work. Its methods may be called from several goroutines.
type Deployment struct {
	target   Target
	updating sync.Mutex        // held while another version is put in place
	prints   map[string]string // fingerprints of the deployed functions by name; under updating

	mu    sync.RWMutex
	stack *Stack
	apis  map[string]*deployedAPI // by logical id
}

// deployedAPI is an API at work.
type deployedAPI struct {
	*gateway.API
	of *API
}

// Deploy makes a stack's tables, deploys its functions and opens its APIs, which are then served by
// the Deployment's ServeHTTP or those of Deployment.API. No process is started before an event
// comes. Tables that are there are kept with what they hold. After an error nothing has to be closed.
func (s *Stack) Deploy(ctx context.Context, t Target) (*Deployment, error) {
	t.Credentials = cmp.Or(t.Credentials, credentials)
	d := &Deployment{target: t, prints: map[string]string{}}
	if err := d.Update(ctx, s); err != nil {
		return nil, err
	}
	return d, nil
}

// Update puts another version of the stack in place: tables that are new are made, functions whose
// code or settings have changed are deployed anew, those that are gone are removed. Connections stay
// open and meet the new routes at their next message; only an API is closed, with 1001, that is
// gone, has lost a stage, or has other settings than its routes and stages. After an error APIs are
// as they were. The old version's Close may be called afterwards, as soon as no event of before is
// under way.
func (d *Deployment) Update(ctx context.Context, s *Stack) error {
	d.updating.Lock()
	defer d.updating.Unlock()
	if err := s.createTables(ctx, d.target.DynamoDB, d.target.Credentials); err != nil {
		return err
	}
	for _, f := range s.Functions {
		if err := d.deploy(f); err != nil {
			return err
		}
	}
	old := d.Stack()
	apis, gone, err := d.update(s)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.stack, d.apis = s, apis
	d.mu.Unlock()
	err = shutdown(ctx, gone) // its last events still find their functions
	if old != nil {
		for _, f := range old.Functions {
			if s.Function(f.Name) == nil {
				d.target.Host.Remove(f.Name)
				delete(d.prints, f.Name)
			}
		}
	}
	return err
}

// deploy deploys a function that runs here, unless it is as it was.
func (d *Deployment) deploy(f *Function) error {
	if f.Refused != "" {
		return nil
	}
	deployed := f.Lambda
	deployed.Env = maps.Clone(f.Lambda.Env)
	deployed.Credentials = cmp.Or(deployed.Credentials, d.target.Credentials)
	if d.target.Prepare != nil {
		d.target.Prepare(f, &deployed)
	}
	now := fingerprint(&deployed)
	if now != "" && d.prints[f.Name] == now {
		return nil
	}
	if err := d.target.Host.Deploy(deployed); err != nil {
		return fmt.Errorf("stack: %s: %w", f.LogicalID, err)
	}
	d.prints[f.Name] = now
	return nil
}

// update gives the APIs of a stack, those that can be changed and new ones, and those to close.
func (d *Deployment) update(s *Stack) (apis, gone map[string]*deployedAPI, err error) {
	gone = maps.Clone(d.apis) // only Update and Close change it
	apis = map[string]*deployedAPI{}
	for _, api := range s.APIs {
		if have := gone[api.LogicalID]; have != nil && api.replaces(have.of) {
			delete(gone, api.LogicalID)
			apis[api.LogicalID] = &deployedAPI{have.API, api}
			for _, stage := range api.Stages {
				if err := have.Deploy(d.stage(api, stage)); err != nil {
					return nil, nil, fmt.Errorf("stack: %s: %w", api.LogicalID, err)
				}
			}
			continue
		}
		if len(api.Stages) == 0 {
			continue // a diagnostic has named it
		}
		opened, err := d.open(s, api)
		if err != nil {
			return nil, nil, fmt.Errorf("stack: %s: %w", api.LogicalID, err)
		}
		apis[api.LogicalID] = opened
	}
	return apis, gone, nil
}

// replaces tells whether an API can take another's place while clients are connected.
func (api *API) replaces(old *API) bool {
	return api.ID == old.ID && api.RouteSelection == old.RouteSelection && api.APIKeySource == old.APIKeySource &&
		slices.Equal(api.APIKeys, old.APIKeys) && !slices.ContainsFunc(old.Stages,
		func(s *Stage) bool {
			return !slices.ContainsFunc(api.Stages,
				func(other *Stage) bool { return other.Name == s.Name })
		})
}

// open makes an API.
func (d *Deployment) open(s *Stack, api *API) (*deployedAPI, error) {
	config := gateway.Config{
		RouteSelection: api.RouteSelection, APIKeySource: api.APIKeySource, APIKeys: api.APIKeys,
		APIID: api.ID, Region: s.Region, Account: s.Account, ServeConnections: true,
		Logger: d.target.Logger,
	}
	if d.target.Configure != nil {
		d.target.Configure(api, &config)
	}
	config.Stages = nil
	for _, stage := range api.Stages {
		config.Stages = append(config.Stages, d.stage(api, stage))
	}
	opened, err := gateway.New(config)
	return &deployedAPI{opened, api}, err
}

// closeCode is what connections of an API end with that is closed: going away.
const closeCode = 1001

// shutdown closes APIs.
func shutdown(ctx context.Context, apis map[string]*deployedAPI) error {
	var failed []error
	for _, api := range apis {
		failed = append(failed, api.Shutdown(ctx, closeCode, ""))
	}
	return errors.Join(failed...)
}

// Close closes every API with all its connections, with 1001, and waits for their $disconnect
// events until ctx ends. Host is not closed.
func (d *Deployment) Close(ctx context.Context) error {
	d.updating.Lock()
	defer d.updating.Unlock()
	d.mu.Lock()
	apis := d.apis
	d.apis = map[string]*deployedAPI{}
	d.mu.Unlock()
	return shutdown(ctx, apis)
}

// Stack is what is deployed now.
func (d *Deployment) Stack() *Stack {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.stack
}

// API gives an API by its logical id or its id; nil: there is none.
func (d *Deployment) API(id string) *gateway.API {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, api := range d.apis {
		if api.of.LogicalID == id || api.of.ID == id {
			return api.API
		}
	}
	return nil
}
