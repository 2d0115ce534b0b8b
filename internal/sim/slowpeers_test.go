//go:build !race

package sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/gateway"
)

// slowPeer is a way to take a server's time: what is sent at once, what follows byte by byte, and
// within which time of its beginning the server is to hang up.
type slowPeer struct {
	name, first, rest string
	limit             time.Duration
}

const slowUpgrade = "GET /production?name=slow HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n" +
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// slowMessage sends a message of 4,096 bytes; the deep column waits for its end.
var slowMessage = slowPeer{
	"message", slowUpgrade + "\r\n", "\x81\xfe\x10\x00\x00\x00\x00\x00" + strings.Repeat("x", 4096),
	gateway.MessageTimeout + dribbleEvery, // from its first byte
}

// slowPeers are the others.
var slowPeers = []slowPeer{
	{"head", slowUpgrade[:40], slowUpgrade[40:], gateway.HeaderTimeout},
	{
		"body", "POST /production/@connections/x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n",
		strings.Repeat("x", 100), gateway.HandshakeTimeout,
	},
	{"keep-alive", "GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "", gateway.HandshakeTimeout},
	{"silence", "", "", gateway.HandshakeTimeout},
}

// dribbleEvery is when the next byte comes; in both columns that is 1,500 bytes a second in all, so
// that what others feel is not the work of sending them.
var dribbleEvery = column(500*time.Millisecond, 4*time.Second)

// dribble plays a slow peer until the server hangs up, and gives after what time that was.
func dribble(ctx context.Context, addr string, p *slowPeer, begun *atomic.Int64) (time.Duration, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	begin := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn) // until the end, of whatever kind
	}()
	_, err = io.WriteString(conn, p.first)
	begun.Add(1)
	ticker := time.NewTicker(dribbleEvery)
	defer ticker.Stop()
	for rest := p.rest; err == nil; {
		select {
		case <-ended:
			return time.Since(begin), nil
		case <-ctx.Done():
			return 0, fmt.Errorf("%s: %w", p.name, ctx.Err())
		case <-ticker.C:
		}
		if rest != "" {
			_, _ = conn.Write([]byte(rest[:1])) // the other goroutine sees that it has ended
			rest = rest[1:]
		}
	}
	return 0, err
}

// TestS13_SlowPeers is attack 16 of the guarantees: handshakes, bodies and messages that come byte
// by byte, and connections that say nothing. Each is cut off in its time; others do not feel it.
func TestS13_SlowPeers(t *testing.T) {
	const margin = 10 * time.Second // of a busy machine
	each := column(150, 1250)
	k := newKilled(t)
	talker := dialFor(t, k, "talker", 5*time.Minute)
	talker.join("tea")
	without := talkFor(talker, 2*time.Second)
	base := k.process.Metrics(t)

	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var all, messages sync.WaitGroup
	var connected atomic.Int64
	play := func(group *sync.WaitGroup, p slowPeer) {
		for range each {
			group.Go(func() {
				switch took, err := dribble(ctx, k.process.Addr, &p, &connected); {
				case errors.Is(err, context.Canceled):
				case err != nil:
					t.Errorf("not cut off: %v", err)
				case took > p.limit+margin:
					t.Errorf("%s: cut off after %v, want %v", p.name, took, p.limit)
				}
			})
		}
	}
	play(&messages, slowMessage)
	for _, p := range slowPeers {
		play(&all, p)
	}
	await(t, patience, "all have connected", func() bool { return connected.Load() == int64(each*(1+len(slowPeers))) })
	// What else runs on the machine for some time slows the talker as well: then it talks again,
	// beside those who send on.
	limit, with := 2*without+20*time.Millisecond, time.Duration(0)
	for try := 0; try == 0 || try < 4 && with > limit; try++ {
		with = talkFor(talker, 2*time.Second)
	}
	all.Wait()
	if !deep() {
		cancel()
	}
	messages.Wait()
	await(t, patience, "the descriptors are free", func() bool {
		time.Sleep(100 * time.Millisecond)
		return k.process.Metrics(t)[openFiles] <= base[openFiles]+slack
	})
	fmt.Printf("%s faults=%d acked=0 lost=0 dup=0 reorder=0 seed=0 without=%v with=%v\n",
		t.Name(), each*(1+len(slowPeers)), without, with)
	if with > limit {
		t.Errorf("%v of all take %v beside slow peers, %v without them: want at most twice as much", share, with, without)
	}
}

// talkFor sends messages one after the other for a while and gives how long the share of them took that is to be judged.
func talkFor(k *talker, lasting time.Duration) time.Duration {
	k.tb.Helper()
	var took []time.Duration
	for end := time.Now().Add(lasting); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		begin := time.Now()
		k.say("tea", fmt.Sprintf("m%d", begin.UnixNano()))
		took = append(took, time.Since(begin))
	}
	return percentile(took, share)
}
