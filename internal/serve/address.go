package serve

import (
	"net"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds the memory of the limiter; beyond it the idle ones are forgotten first.
const maxAddresses = 10_000

// addressLimiter counts the actions of each remote address that is not loopback.
type addressLimiter struct {
	perSecond int
	now       func() time.Time
	mu        sync.Mutex
	buckets   map[string]*rate.Limiter
}

func newAddressLimiter(perSecond int, now func() time.Time) *addressLimiter {
	return &addressLimiter{perSecond: perSecond, now: now, buckets: map[string]*rate.Limiter{}}
}

// allow gives how long the address has to wait, 0 when it need not.
func (l *addressLimiter) allow(address string) time.Duration {
	if ip := net.ParseIP(address); ip == nil || ip.IsLoopback() {
		return 0
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.buckets[address]
	if bucket == nil {
		l.makeRoom(now)
		bucket = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.buckets[address] = bucket
	}
	if bucket.AllowN(now, 1) {
		return 0
	}
	return time.Second / time.Duration(l.perSecond)
}

// makeRoom forgets the addresses whose bucket is full again; when there is none, all of them.
func (l *addressLimiter) makeRoom(now time.Time) {
	if len(l.buckets) < maxAddresses {
		return
	}
	for address, bucket := range l.buckets {
		if bucket.TokensAt(now) >= float64(bucket.Burst()) {
			delete(l.buckets, address)
		}
	}
	if len(l.buckets) >= maxAddresses {
		clear(l.buckets)
	}
}
