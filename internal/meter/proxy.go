package meter

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Usage is what requests of one operation have cost.
type Usage struct {
	Requests   int // those that failed too
	ReadUnits  float64
	WriteUnits float64
	ReadBytes  int // of the items that reads have looked at
}

// Proxy is an http.Handler in front of an engine that takes any signature, as DynamoDB Local does:
// it reads items on its own, in the name of who writes them, to see how large they are before and
// after. Writes of one item pass one after another. It may be used by any number of goroutines.
type Proxy struct {
	engine *url.URL
	client *http.Client
	locks  [64]sync.Mutex // of items, by a hash of the key

	mu      sync.Mutex
	usage   map[string]map[string]Usage // by access key and operation
	schemas map[string][]string         // names of the key's attributes, by access key and table
}

// New makes a proxy of the engine, with a transport of its own unless one is given.
func New(engine *url.URL, transport http.RoundTripper) *Proxy {
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.Proxy, own.MaxIdleConnsPerHost, own.DisableCompression = nil, 256, true
		transport = own
	}
	return &Proxy{
		engine: engine, client: &http.Client{Transport: transport},
		usage: map[string]map[string]Usage{}, schemas: map[string][]string{},
	}
}

// Close closes idle connections to the engine.
func (p *Proxy) Close() { p.client.CloseIdleConnections() }

// Usage gives what was used since New or Reset by operation, as "PutItem"; with access keys, of
// requests that were signed with them alone.
func (p *Proxy) Usage(accessKeys ...string) map[string]Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := map[string]Usage{}
	for key, operations := range p.usage {
		if len(accessKeys) > 0 && !slices.Contains(accessKeys, key) {
			continue
		}
		for operation, u := range operations {
			s := sum[operation]
			s.Requests += u.Requests
			s.ReadUnits += u.ReadUnits
			s.WriteUnits += u.WriteUnits
			s.ReadBytes += u.ReadBytes
			sum[operation] = s
		}
	}
	return sum
}

// Sum adds the usage of all operations.
func Sum(operations map[string]Usage) (all Usage) {
	for _, u := range operations {
		all.Requests += u.Requests
		all.ReadUnits += u.ReadUnits
		all.WriteUnits += u.WriteUnits
		all.ReadBytes += u.ReadBytes
	}
	return all
}

// Reset forgets what was used.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.usage = map[string]map[string]Usage{}
}

// credential is the access key of a signature: Signature Version 4.
var credential = regexp.MustCompile(`Credential=([^/,\s]+)/`)

// request is one that came, with what it takes to ask the engine in the same name.
type request struct {
	proxy     *Proxy
	ctx       context.Context
	header    http.Header
	operation string
	accessKey string
	input     map[string]any // nil: it is no JSON
}

// ServeHTTP passes a request on and counts it. What the engine has begun is counted even when its
// client does not wait for the answer.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r := &request{proxy: p, ctx: context.WithoutCancel(req.Context()), header: req.Header.Clone()}
	_, r.operation, _ = strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	if m := credential.FindStringSubmatch(req.Header.Get("Authorization")); m != nil {
		r.accessKey = m[1]
	}
	if json.Unmarshal(body, &r.input) != nil {
		r.input = nil
	}
	answer, usage, err := r.handle(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	p.add(r, usage)
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // who has left misses it
}

// handle has the engine answer, and computes what that costs.
func (r *request) handle(body []byte) (answer, Usage, error) {
	changes, err := r.changes()
	if err != nil {
		return answer{}, Usage{}, err
	}
	if len(changes) > 0 {
		return r.write(body, changes)
	}
	a, err := r.send(r.operation, body)
	if err != nil || a.status != http.StatusOK {
		return a, Usage{}, err
	}
	if r.operation == "CreateTable" || r.operation == "DeleteTable" {
		r.proxy.forget()
	}
	usage, err := r.read(a)
	return a, usage, err
}

// add counts a request.
func (p *Proxy) add(r *request, u Usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usage[r.accessKey] == nil {
		p.usage[r.accessKey] = map[string]Usage{}
	}
	sum := p.usage[r.accessKey][r.operation]
	sum.Requests++
	sum.ReadUnits += u.ReadUnits
	sum.WriteUnits += u.WriteUnits
	sum.ReadBytes += u.ReadBytes
	p.usage[r.accessKey][r.operation] = sum
}

// forget drops the schemas of tables, which may be other ones now.
func (p *Proxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.schemas)
}

// lockOf gives the number of the lock of an item.
func (p *Proxy) lockOf(c change) int {
	h := fnv.New32a()
	key, _ := json.Marshal(c.key) // keys of maps are sorted
	_, _ = h.Write([]byte(c.table))
	_, _ = h.Write(key)
	return int(h.Sum32() % uint32(len(p.locks)))
}

// answer is one of the engine's.
type answer struct {
	status int
	header http.Header
	body   []byte
	output map[string]any
}

// send asks the engine in the name of who made the request.
func (r *request) send(operation string, body []byte) (a answer, err error) {
	req, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.proxy.engine.String(),
		bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header = r.header.Clone()
	for _, name := range []string{"Accept-Encoding", "Connection", "Content-Length"} {
		req.Header.Del(name)
	}
	version, _, _ := strings.Cut(r.header.Get("X-Amz-Target"), ".")
	req.Header.Set("X-Amz-Target", version+"."+operation)
	resp, err := r.proxy.client.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a = answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, err
	}
	if json.Unmarshal(a.body, &a.output) != nil {
		a.output = nil // the engine's own words, for who has asked
	}
	return a, nil
}

// ask asks the engine something of the proxy's own; nil where it refuses.
func (r *request) ask(operation string, input map[string]any) (map[string]any, error) {
	body, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	a, err := r.send(operation, body)
	if err != nil || a.status != http.StatusOK {
		return nil, err
	}
	return a.output, nil
}
