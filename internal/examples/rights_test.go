package examples

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/stack"
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
func newRights(tb testing.TB, s *stack.Stack) *rights {
	tb.Helper()
	r := &rights{tb: tb, grants: map[string][]grant{}}
	for _, f := range s.Functions {
		for _, statement := range f.Policies {
			if statement.Effect != "Allow" {
				tb.Fatalf("%s has a statement that does not allow", f.LogicalID)
			}
			for _, action := range statement.Actions {
				for _, on := range statement.Resources {
					r.grants[f.LogicalID] = append(r.grants[f.LogicalID], grant{action: action, resource: on})
				}
			}
		}
	}
	return r
}

// matches compares an ARN with a pattern in which * stands for anything.
func matches(pattern, arn string) bool {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^" + quoted + "$").MatchString(arn)
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
