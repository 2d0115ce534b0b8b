package stack

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// ServeHTTP hands a request to the API that it means: the one whose id the host's name begins
// with, as {id}.execute-api.us-east-1.amazonaws.com or {id}.localhost, else the first in the
// template that has the stage.
func (d *Deployment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.RLock()
	var chosen *deployedAPI
	if d.stack != nil {
		chosen = d.choose(r)
	}
	d.mu.RUnlock()
	if chosen == nil {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-ErrorType", "ForbiddenException")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"message":"Forbidden"}`)
		return
	}
	chosen.ServeHTTP(w, r)
}

// choose finds the API of a request. d.mu is held.
func (d *Deployment) choose(r *http.Request) *deployedAPI {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	label, _, _ := strings.Cut(host, ".")
	stage, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	var chosen *deployedAPI
	for _, api := range d.stack.APIs {
		deployed := d.apis[api.LogicalID]
		switch {
		case deployed == nil:
		case api.ID == label:
			return deployed
		case chosen == nil && slices.ContainsFunc(api.Stages, func(s *Stage) bool { return s.Name == stage }):
			chosen = deployed
		}
	}
	if chosen == nil && len(d.stack.APIs) > 0 { // it knows how to refuse
		chosen = d.apis[d.stack.APIs[0].LogicalID]
	}
	return chosen
}
