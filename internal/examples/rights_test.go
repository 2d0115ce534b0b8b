package examples

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
)

// rights are what a template lets each function do, and what the functions did.
type rights struct {
	tb     testing.TB
	mu     sync.Mutex
	grants map[string][]grant // by function
}

// grant is one action on one resource.
type grant struct {
	action, resource string
	used             bool
}

// newRights reads the policies of all functions.
func newRights(tm *template) *rights {
	tm.tb.Helper()
	r := &rights{tb: tm.tb, grants: map[string][]grant{}}
	for _, id := range tm.ids("AWS::Serverless::Function", "AWS::Lambda::Function") {
		for _, statement := range tm.statements(id) {
			if statement["Effect"] != "Allow" {
				tm.tb.Fatalf("%s: %s has a statement that does not allow", tm.dir, id)
			}
			for _, action := range list(tm.resolve(statement["Action"])) {
				for _, on := range list(tm.resolve(statement["Resource"])) {
					r.grants[id] = append(r.grants[id], grant{action: action, resource: on})
				}
			}
		}
	}
	return r
}

// statements gives the policy statements of a function or of its role.
func (tm *template) statements(function string) []map[string]any {
	properties := tm.Resources[function].Properties
	if role, ok := properties["Role"].(map[string]any); ok {
		properties = tm.Resources[role["Fn::GetAtt"].([]any)[0].(string)].Properties
	}
	var all []map[string]any
	policies, _ := properties["Policies"].([]any)
	for _, p := range policies {
		policy := p.(map[string]any)
		if document, ok := policy["PolicyDocument"].(map[string]any); ok {
			policy = document
		}
		statements, _ := policy["Statement"].([]any)
		for _, s := range statements {
			all = append(all, s.(map[string]any))
		}
	}
	return all
}

// list makes a list of one or several texts.
func list(v any) []string {
	var texts []string
	switch v := v.(type) {
	case string:
		texts = append(texts, v)
	case []any:
		for _, s := range v {
			texts = append(texts, s.(string))
		}
	}
	return texts
}

// allow tells whether a function may do something; when it may not, the test fails.
func (r *rights) allow(function, action, resource string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	allowed := false
	for i, g := range r.grants[function] {
		if g.action == action && matches(g.resource, resource) {
			r.grants[function][i].used, allowed = true, true
		}
	}
	if !allowed {
		r.tb.Errorf("%s has no right to %s on %s", function, action, resource)
	}
	return allowed
}

// allUsed checks that no function may do what it never did, and that no right is for everything.
func (r *rights) allUsed() {
	r.tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, function := range slices.Sorted(maps.Keys(r.grants)) {
		for _, g := range r.grants[function] {
			if !g.used {
				r.tb.Errorf("%s may %s on %s, but never did", function, g.action, g.resource)
			}
			if g.resource == "*" || matches(g.resource, fmt.Sprintf("arn:aws:execute-api:%s:%s:other/x/POST/@connections/x", region, accountID)) {
				r.tb.Errorf("%s may %s on more than its own: %s", function, g.action, g.resource)
			}
		}
	}
}
