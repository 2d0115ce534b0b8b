package rehearsal

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/confab-chat/confab/internal/egress"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// Config says what to run and how. All of it may be left out.
type Config struct {
	Stack stack.Options
	// Await has Start wait for a change of the project where the template cannot be run.
	Await bool
	// Port is the port of the first API on 127.0.0.1; the next ones have those that follow. 0: any.
	Port int
	// EnvVars is a file of variables in the form of sam local's --env-vars.
	EnvVars string
	// Tables says where tables are made.
	Tables Tables
	// Emulator takes calls of AWS services that are not here; AllowAWS lets them out instead.
	Emulator *url.URL
	AllowAWS bool
	// Inspect maps functions, by logical id or name, to the ports that their debuggers listen on.
	Inspect map[string]int
	// Freeze stops functions between events, as AWS does.
	Freeze bool
	// Deliver, where there is one, gives functions the events of APIs by calling invoke: late, more
	// than once or never, for tests of faults.
	Deliver Deliver
	// Concurrency is how many events all functions may handle at once; default lambdahost's.
	Concurrency int
	// Node and Python run functions of these runtimes; default node and python3 in PATH.
	Node, Python string
	// Out gets what is printed; default: nobody.
	Out io.Writer
}

// Invoke gives a function an event and waits for its answer.
type Invoke func(context.Context, lambdahost.Input) (lambdahost.Output, error)

// Deliver gives a function an event by calling invoke, and the API the answer.
type Deliver func(ctx context.Context, in lambdahost.Input, invoke Invoke) (lambdahost.Output, error)

// Runner is a stack that runs.
type Runner struct {
	cfg        Config
	variables  variables
	journal    *Journal
	keys       *keys
	dir        string // private, with what functions read
	gate       *egress.Gate
	host       *lambdahost.Host
	lambda     *http.Server // the Invoke API
	invoke     string       // its URL
	engine     *engine      // of the tables; nil: there is none
	deployment *stack.Deployment
	loaded     map[string]state // what the files were like then
	scheduled  scheduled
	calling    sync.WaitGroup // of schedules
	uncall     context.CancelFunc
	calls      calls // of the functions

	mu    sync.Mutex
	stack *stack.Stack
	old   []*stack.Stack // whose functions may still be ending
	ports []*port
}

// drain is how long connections and functions may take to end.
const drain = 10 * time.Second

// Start loads a stack and runs it until Close. What is wrong with the template has been printed
// when it returns stack.ErrTemplate.
func Start(ctx context.Context, cfg Config) (*Runner, error) {
	if cfg.Out == nil {
		cfg.Out = io.Discard
	}
	r := &Runner{cfg: cfg, journal: NewJournal(cfg.Out, time.Now), keys: newKeys(rand.Text())}
	if err := r.start(ctx); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// start does what Start does.
func (r *Runner) start(ctx context.Context) error {
	r.cfg.Stack.Lambda = lambdahost.Config{
		Node: r.cfg.Node, Python: r.cfg.Python, NodePath: modules(r.cfg.Stack),
	}
	loaded, diagnostics, err := r.load(ctx)
	if err != nil {
		return err
	}
	r.stack = loaded
	// Later versions come from the same file, and not from the template beside a build that a tool
	// is just making anew.
	r.cfg.Stack.Dir, r.cfg.Stack.Template = loaded.Dir, loaded.File
	r.loaded = look(r.sources())
	if r.variables, err = readVariables(r.cfg.EnvVars); err != nil {
		return err
	}
	if err := r.checkNames(loaded); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp("", "confab-run-"); err != nil {
		return err
	}
	if len(loaded.Tables) > 0 || r.cfg.Tables.URL != "" {
		if r.engine, err = r.cfg.Tables.open(ctx, len(loaded.Tables)); err != nil {
			return err
		}
	}
	if err := r.openGate(); err != nil {
		return err
	}
	if err := r.openHost(); err != nil {
		return err
	}
	for _, a := range loaded.APIs {
		if err := r.listen(a); err != nil {
			return err
		}
	}
	if err := r.deploy(ctx, loaded); err != nil {
		return err
	}
	r.serve()
	r.announce(diagnostics)
	ctx, r.uncall = context.WithCancel(context.WithoutCancel(ctx))
	r.calling.Go(func() { r.schedule(ctx) })
	return nil
}

// openGate opens the way out.
func (r *Runner) openGate() (err error) {
	services := []egress.Service{
		{Hosts: egress.ExecuteAPI, Handler: http.HandlerFunc(r.executeAPI)},
		{Hosts: egress.Lambda, Handler: http.HandlerFunc(r.invocations)},
	}
	if r.engine != nil {
		tables := egress.Service{Hosts: egress.DynamoDB, Handler: r.engine.proxy()}
		services = append(services, tables)
	}
	r.gate, err = egress.Open(egress.Config{
		Dir: r.dir, Services: services, Fallback: r.cfg.Emulator, Open: r.cfg.AllowAWS,
		Refused: func(req *http.Request, sentence string) {
			c := r.caller(req)
			r.journal.Refused(c.trace, c.function, sentence)
		},
	})
	return err
}

// openHost makes the host of the functions, which have nothing of this user's environment, and its
// Invoke API.
func (r *Runner) openHost() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r.invoke = "http://" + listener.Addr().String()
	config := r.cfg.Stack.Lambda
	config.Region, config.Account, config.Env = r.stack.Region, r.stack.Account, r.everywhere()
	config.Concurrency = r.cfg.Concurrency
	config.Freeze, config.Log = r.cfg.Freeze, r.wrote
	if r.host, err = lambdahost.New(config); err != nil {
		listener.Close()
		return err
	}
	r.lambda = &http.Server{
		Handler: http.HandlerFunc(r.invocations), ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = r.lambda.Serve(listener) }() // it ends with Close
	return nil
}

// deploy puts a stack to work, or in place of the one that is.
func (r *Runner) deploy(ctx context.Context, s *stack.Stack) (err error) {
	for _, a := range s.APIs {
		for _, stage := range a.Stages {
			stage.AccessLog = accessFormat // the template's own goes to CloudWatch
			for _, route := range stage.Routes {
				if route.Function != nil && r.inspected(route.Function) != 0 {
					route.Timeout = -1 // who looks at a function takes more than 29 s
				}
			}
		}
	}
	if r.deployment != nil {
		return r.deployment.Update(ctx, s)
	}
	target := stack.Target{
		Host: r.host, Prepare: r.prepare, Configure: r.configure, Invoke: r.call,
		AccessLog: func(a *stack.API, _ *stack.Stage) io.Writer {
			return accessLog{journal: r.journal, api: a.LogicalID}
		},
		Warn: func(c stack.Call, text string) { r.journal.warned(c.RequestID, text) },
	}
	if r.engine != nil {
		target.DynamoDB = r.engine.endpoint
	}
	r.deployment, err = s.Deploy(ctx, target)
	return err
}

// modules are the folders of packages that Node.js functions find besides their own: the project's.
func modules(project stack.Options) []string {
	var found []string
	for _, dir := range []string{project.Dir, filepath.Dir(project.Template)} {
		folder, err := filepath.Abs(filepath.Join(dir, "node_modules"))
		if err != nil {
			continue
		}
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			found = append(found, folder)
		}
	}
	return found
}

// Close ends everything: connections with 1001, functions, the engine if it was started here. Events
// under way, $disconnect too, have 10 s.
func (r *Runner) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if r.uncall != nil {
		r.uncall()
		r.calling.Wait()
	}
	errs := []error{r.shutdown(ctx)}
	if errors.Is(errs[0], context.DeadlineExceeded) {
		r.journal.Note("functions that have not ended by now are ended")
		errs = nil
	}
	if r.host != nil {
		errs = append(errs, r.host.Close())
	}
	if r.lambda != nil {
		errs = append(errs, r.lambda.Close())
	}
	if r.gate != nil {
		errs = append(errs, r.gate.Close())
	}
	if r.engine != nil {
		errs = append(errs, r.engine.close())
	}
	if r.stack != nil {
		r.old = append(r.old, r.stack)
	}
	for _, s := range r.old {
		errs = append(errs, s.Close())
	}
	if r.dir != "" {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}

// current is the stack that runs.
func (r *Runner) current() *stack.Stack {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stack
}

// Journal is what has happened.
func (r *Runner) Journal() *Journal { return r.journal }

// URLs are where clients connect, one for each stage, the template's first stage first.
func (r *Runner) URLs() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, a := range r.stack.APIs {
		for _, p := range r.ports {
			for _, s := range a.Stages {
				if p.logicalID == a.LogicalID {
					all = append(all, "ws://"+p.address+"/"+s.Name)
				}
			}
		}
	}
	return all
}
