package gateway

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/confab-chat/confab/connections"
)

// remotes are clients of other gateways' @connections, one for each endpoint.
type remotes struct {
	mu      sync.Mutex
	clients map[string]*connections.Client
	http    *http.Client // the API's own, where the configuration has none
}

// client gives the client of an endpoint.
func (r *remotes) client(a *API, endpoint string) (*connections.Client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.clients[endpoint]; c != nil {
		return c, nil
	}
	keys := slices.Sorted(maps.Keys(a.cfg.Credentials))
	if len(keys) == 0 {
		return nil, fmt.Errorf("gateway: no credentials to call endpoint %q", endpoint)
	}
	client := a.cfg.HTTPClient
	if client == nil {
		if r.http == nil {
			r.http = connections.NewHTTPClient(0)
		}
		client = r.http
	}
	c, err := connections.New(connections.Config{
		Endpoint: endpoint, Region: a.cfg.Region,
		AccessKey: keys[0], SecretKey: a.cfg.Credentials[keys[0]], HTTPClient: client,
	})
	if err != nil {
		return nil, err
	}
	if r.clients == nil {
		r.clients = map[string]*connections.Client{}
	}
	r.clients[endpoint] = c
	return c, nil
}

// post posts to targets of other endpoints, to each endpoint at the same time.
func (r *remotes) post(ctx context.Context, a *API, to []connections.Target, frames [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	byEndpoint := map[string][]connections.Target{}
	for _, t := range to {
		byEndpoint[t.Endpoint] = append(byEndpoint[t.Endpoint], t)
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for endpoint, targets := range byEndpoint {
		wait.Go(func() {
			client, failed := r.client(a, endpoint)
			var g []connections.Target
			u := targets
			if failed == nil {
				g, u, failed = client.Post(ctx, targets, frames)
			}
			mu.Lock()
			defer mu.Unlock()
			gone, unsent = append(gone, g...), append(unsent, u...)
			if err == nil {
				err = failed
			}
		})
	}
	wait.Wait()
	return gone, unsent, err
}

// close drops kept-alive connections to other gateways.
func (r *remotes) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.http != nil {
		r.http.CloseIdleConnections()
	}
}
