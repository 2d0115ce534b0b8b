package gateway

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// Throttle is a token bucket, as API Gateway's are.
type Throttle struct {
	// Rate is how many a second pass in the long run. 0: what the field that has the Throttle says;
	// negative: no limit.
	Rate float64
	// Burst is how many pass at once, at least 1, where there is a Rate; 0: as many as pass in a
	// second.
	Burst int
}

// Throttles of an account in a region (Developer Guide, "Amazon API Gateway quotas").
var (
	newConnections  = Throttle{Rate: 500}
	accountRequests = Throttle{Rate: 10_000, Burst: 5_000}
)

// tooMany is what a client is told whose request a throttle refuses.
const tooMany = "Too Many Requests"

// bucket makes a full bucket; nil: no limit.
func (t Throttle) bucket() *rate.Limiter {
	if t.Rate <= 0 {
		return nil
	}
	if t.Burst == 0 {
		t.Burst = int(math.Ceil(t.Rate))
	}
	return rate.NewLimiter(rate.Limit(t.Rate), t.Burst)
}

// check refuses what no bucket can be made of.
func (t Throttle) check() error {
	if t.Burst < 0 || t.Rate == 0 && t.Burst > 0 || math.IsNaN(t.Rate) || math.IsInf(t.Rate, 0) {
		return fmt.Errorf("throttle of %v a second, %d at once: not a limit", t.Rate, t.Burst)
	}
	return nil
}

// passes takes one from each bucket, and tells whether all had one.
func passes(now func() time.Time, buckets ...*rate.Limiter) bool {
	for _, b := range buckets {
		if b != nil && !b.AllowN(now(), 1) {
			return false
		}
	}
	return true
}

// throttled tells whether a message of the route, nil for none, is over a limit.
func (c *connection) throttled(r *route) bool {
	var own *rate.Limiter
	if r != nil {
		own = r.bucket
	}
	return !passes(c.api.cfg.Now, own, c.api.requests)
}

// admits tells whether a handshake with the stage is within all limits.
func (a *API) admits(s *stage) bool {
	var own *rate.Limiter
	if r := s.live.Load().routes[ConnectRoute]; r != nil {
		own = r.bucket
	}
	return passes(a.cfg.Now, a.handshakes, own)
}

// throttled answers an HTTP request that a throttle refuses.
func (a *API) throttled(w http.ResponseWriter, kind string) {
	a.answer(w, http.StatusTooManyRequests, kind, tooMany)
}
