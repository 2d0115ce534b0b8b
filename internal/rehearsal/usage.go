package rehearsal

import (
	"maps"
	"sync"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/lambdahost"
)

// Usage is what a stack has used since it was started, as AWS counts it. Tables are not in it: what
// they are asked goes to the engine directly.
type Usage struct {
	Gateway   gateway.Metered             // of all APIs that are there now
	Functions map[string]lambdahost.Stats // by logical id
	// Calls counts, by logical id of the function and action of IAM, the calls of @connections
	// (execute-api:ManageConnections) and of Lambda (lambda:InvokeFunction). Those that nobody of the
	// stack has signed are under "".
	Calls map[string]map[string]int
}

// The actions of IAM that a Runner sees.
const (
	actionManage = "execute-api:ManageConnections"
	actionInvoke = "lambda:InvokeFunction"
)

// calls counts what functions have called.
type calls struct {
	mu     sync.Mutex
	counts map[string]map[string]int
}

// add counts a call.
func (c *calls) add(function, action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]map[string]int{}
	}
	if c.counts[function] == nil {
		c.counts[function] = map[string]int{}
	}
	c.counts[function][action]++
}

// all copies the counts.
func (c *calls) all() map[string]map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := map[string]map[string]int{}
	for function, counts := range c.counts {
		copied[function] = maps.Clone(counts)
	}
	return copied
}

// Usage tells what was used.
func (r *Runner) Usage() Usage {
	u := Usage{Functions: map[string]lambdahost.Stats{}, Calls: r.calls.all()}
	for name, s := range r.host.Stats() {
		u.Functions[r.logicalID(name)] = s
	}
	for _, a := range r.current().APIs {
		if api := r.deployment.API(a.LogicalID); api != nil {
			m := api.Stats().Metered
			u.Gateway.Messages += m.Messages
			u.Gateway.ConnectionMinutes += m.ConnectionMinutes
			u.Gateway.MessageCount += m.MessageCount
			u.Gateway.ConnectCount += m.ConnectCount
		}
	}
	return u
}

// AccessKey gives what a function, by its logical id, signs its calls with, those to tables too; "":
// there is no such function.
func (r *Runner) AccessKey(function string) string {
	r.keys.mu.Lock()
	defer r.keys.mu.Unlock()
	for key, name := range r.keys.functions {
		if name == function {
			return key
		}
	}
	return ""
}
