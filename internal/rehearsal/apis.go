package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/egress"
	"github.com/confab-chat/confab/stack"
)

// port is where an API of the template is served, whatever its deployment is by now.
type port struct {
	logicalID string
	address   string // host and port
	listener  net.Listener
	servers   [2]*http.Server // nil until the API is there
}

// listen opens the port of an API that has none yet. Nobody answers before serve.
func (r *Runner) listen(a *stack.API) error {
	if len(a.Stages) == 0 || r.portOf(a) != nil {
		return nil
	}
	number := r.cfg.Port
	if number != 0 {
		number += len(r.ports)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(number)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is taken: choose another with --port, or any free one with "+
			"--port 0", number)
	}
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ports = append(r.ports, &port{
		logicalID: a.LogicalID, address: listener.Addr().String(), listener: listener,
	})
	return nil
}

// serve answers at the ports of APIs that are deployed by now: ws:// and https:// on each.
func (r *Runner) serve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.ports {
		if p.servers[0] == nil {
			r.begin(p)
		}
	}
}

// begin answers at a port.
func (r *Runner) begin(p *port) {
	plain, secure := egress.Split(p.listener)
	front := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.front(p, w, req) })
	for i := range p.servers {
		p.servers[i] = &http.Server{
			Handler: front, ReadHeaderTimeout: gateway.HeaderTimeout,
			ReadTimeout: gateway.HandshakeTimeout,
			ErrorLog:    slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // clients know
		}
	}
	p.servers[1].TLSConfig = r.gate.TLS()
	p.servers[1].Protocols = new(http.Protocols) // WebSocket needs HTTP/1.1
	p.servers[1].Protocols.SetHTTP1(true)
	go func() { _ = p.servers[0].Serve(gateway.KeepSpelling(plain)) }() // it ends with Close
	go func() { _ = p.servers[1].ServeTLS(secure, "", "") }()           // the same
}

// close no longer listens.
func (p *port) close() error {
	if p.servers[0] == nil {
		return p.listener.Close()
	}
	return errors.Join(p.servers[0].Close(), p.servers[1].Close())
}

// portOf gives the port of an API; nil: it has none.
func (r *Runner) portOf(a *stack.API) *port {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.ports {
		if p.logicalID == a.LogicalID {
			return p
		}
	}
	return nil
}

// endpoint is what functions post to: the @connections API of an API's first stage.
func (r *Runner) endpoint(a *stack.API) string {
	if p := r.portOf(a); p != nil && len(a.Stages) > 0 {
		return "http://" + p.address + "/" + a.Stages[0].Name
	}
	return ""
}

// front answers what comes to an API's port, and notes calls of @connections with who makes them.
func (r *Runner) front(p *port, w http.ResponseWriter, req *http.Request) {
	api := r.deployment.API(p.logicalID)
	if api == nil {
		http.Error(w, "the template no longer has the API "+p.logicalID, http.StatusForbidden)
		return
	}
	stage, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.EscapedPath(), "/"), "/")
	call, id, _ := strings.Cut(rest, "/")
	if !strings.EqualFold(strings.ReplaceAll(call, "%40", "@"), connections) {
		if req.Header.Get("Upgrade") != "" && !slices.Contains(r.stages(p), stage) {
			r.journal.Note(fmt.Sprintf("refused: there is no stage %q; the URLs are %s", stage,
				strings.Join(r.URLs(), ", ")))
		}
		api.ServeHTTP(w, req)
		return
	}
	noted := &notedStatus{ResponseWriter: w, status: http.StatusOK}
	api.ServeHTTP(noted, req)
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	c := r.caller(req)
	r.calls.add(c.function, actionManage)
	r.journal.Pushed(Push{
		ID: noted.header("X-Amzn-Requestid"), Method: req.Method, Connection: id,
		Bytes: max(0, req.ContentLength), Status: noted.status,
		Error: noted.header("X-Amzn-Errortype"),
	}, c.trace, c.function)
}

// connections is the part of a path below which connections are posted to.
const connections = "@connections"

// stages names the stages of the API at a port.
func (r *Runner) stages(p *port) []string {
	var names []string
	for _, a := range r.current().APIs {
		if a.LogicalID != p.logicalID {
			continue
		}
		for _, s := range a.Stages {
			names = append(names, s.Name)
		}
	}
	return names
}

// executeAPI answers calls of any API's own host: code that is made for AWS has the id of an API
// there. Calls of @connections come to the API that has the id, else to the first with the stage.
func (r *Runner) executeAPI(w http.ResponseWriter, req *http.Request) {
	stage, rest, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	id, _, _ := strings.Cut(req.Host, ".")
	var found *port
	for _, a := range r.current().APIs {
		has := slices.ContainsFunc(a.Stages, func(s *stack.Stage) bool { return s.Name == stage })
		if has && (found == nil || a.ID == id) {
			found = r.portOf(a)
		}
	}
	why := egress.NotServed(req.Host)
	if found == nil && strings.HasPrefix(rest, connections+"/") {
		why = fmt.Sprintf("%s: no API of the template has the stage %q; the URLs are %s", req.Host,
			stage, strings.Join(r.URLs(), ", "))
	}
	if found == nil || !strings.HasPrefix(rest, connections+"/") {
		r.gate.Elsewhere(w, req, why)
		return
	}
	r.front(found, w, req)
}

// apiOf finds the API that calls a function, else the first: functions that no route calls post
// too.
func apiOf(s *stack.Stack, f *stack.Function) *stack.API {
	for _, a := range s.APIs {
		for _, stage := range a.Stages {
			for _, route := range stage.Routes {
				if route.Function == f {
					return a
				}
			}
		}
	}
	if len(s.APIs) > 0 {
		return s.APIs[0]
	}
	return nil
}

// configure gives an API the credentials that may call its @connections.
func (r *Runner) configure(_ *stack.API, config *gateway.Config) {
	config.Credentials = r.keys.all()
}

// notedStatus notes how a request was answered.
type notedStatus struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (n *notedStatus) WriteHeader(status int) {
	n.status = status
	n.ResponseWriter.WriteHeader(status)
}

// header gives a header of the answer, however it is spelled.
func (n *notedStatus) header(name string) string {
	for have, values := range n.Header() {
		if strings.EqualFold(have, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// shutdown closes the connections of all APIs, then their ports.
func (r *Runner) shutdown(ctx context.Context) error {
	var errs []error
	if r.deployment != nil {
		errs = append(errs, r.deployment.Close(ctx))
	}
	for _, p := range r.ports {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}
