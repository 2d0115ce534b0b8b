package serve

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxAddresses bounds the memory of the limiter; beyond it the idle ones are forgotten first.
const maxAddresses = 10_000

// ownNetwork is the part of an IPv6 address that tells subscribers apart: each has a network of
// so many bits at least, and all addresses within it (RFC 6177).
const ownNetwork = 64

// addressLimiter counts the actions of each remote address that is not loopback.
type addressLimiter struct {
	perSecond int
	now       func() time.Time
	mu        sync.Mutex
	buckets   map[netip.Prefix]*rate.Limiter
}

func newAddressLimiter(perSecond int, now func() time.Time) *addressLimiter {
	return &addressLimiter{perSecond: perSecond, now: now, buckets: map[netip.Prefix]*rate.Limiter{}}
}

// allow gives how long the address has to wait, 0 when it need not.
func (l *addressLimiter) allow(address string) time.Duration {
	ip, err := netip.ParseAddr(address)
	if ip = ip.Unmap().WithZone(""); err != nil || ip.IsLoopback() {
		return 0
	}
	who := netip.PrefixFrom(ip, ip.BitLen())
	if ip.Is6() {
		who = netip.PrefixFrom(ip, ownNetwork).Masked()
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.buckets[who]
	if bucket == nil {
		l.makeRoom(now)
		bucket = rate.NewLimiter(rate.Limit(l.perSecond), 2*l.perSecond)
		l.buckets[who] = bucket
	}
	if bucket.AllowN(now, 1) {
		return 0
	}
	return time.Second / time.Duration(l.perSecond)
}

// wait is allow for the client of a request.
func (l *addressLimiter) wait(r *http.Request) time.Duration {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return l.allow(host)
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
