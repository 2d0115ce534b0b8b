package memstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestConnections(t *testing.T) {
	for name, o := range map[string]memstore.Options{
		"laptop": {},
		"leases": {Rate: 10, Burst: 20, Lease: 250 * time.Second, SilentLease: 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.RunConnections(t, func(testing.TB) storetest.ConnectionsHarness {
				clock := storetest.NewClock()
				o := o
				o.Now = clock.Now
				conns := memstore.NewConnections(o)
				return storetest.ConnectionsHarness{
					A: conns, B: conns, Clock: clock, Burst: o.Burst, Lease: o.Lease, SilentLease: o.SilentLease,
				}
			})
		})
	}
}

// BenchmarkReceivers reads a room of 1,000 connections: no allocation for each of them.
func BenchmarkReceivers(b *testing.B) {
	conns := memstore.NewConnections(memstore.Options{})
	fill(b, conns, 1000)
	head := chat.Head{Room: "tea", Kind: chat.PublicRoom}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for r, err := range conns.Receivers(context.Background(), head) {
			if err != nil || r.ID == "" {
				b.Fatal(err)
			}
			n++
		}
		if n != 1000 {
			b.Fatalf("%d receivers", n)
		}
	}
}

// BenchmarkTouch counts an action of one of 1,000 connections, on all processors.
func BenchmarkTouch(b *testing.B) {
	conns := memstore.NewConnections(memstore.Options{Rate: 2000, Burst: 4000})
	ids := fill(b, conns, 1000)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		now := time.Now()
		for i := 0; pb.Next(); i++ {
			at := now.Add(time.Duration(i) * time.Microsecond)
			if _, err := conns.Touch(context.Background(), ids[i%len(ids)], at, chat.Acts); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkOpenClose opens and closes a connection beside 1,000 others in its room.
func BenchmarkOpenClose(b *testing.B) {
	conns := memstore.NewConnections(memstore.Options{})
	fill(b, conns, 1000)
	ctx := context.Background()
	members := []chat.Member{{Room: "tea", User: "zoe", State: chat.Joined}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		id := fmt.Sprintf("z%d", i)
		if err := conns.Open(ctx, chat.Connection{ID: id, User: "zoe"}, members); err != nil {
			b.Fatal(err)
		}
		if _, err := conns.Close(ctx, id); err != nil {
			b.Fatal(err)
		}
	}
}

// fill opens n connections of as many users in the room tea.
func fill(b *testing.B, conns *memstore.Connections, n int) []string {
	b.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%d", i)
		user := fmt.Sprintf("user%d", i)
		members := []chat.Member{{Room: "tea", User: user, State: chat.Joined}}
		if err := conns.Open(context.Background(), chat.Connection{ID: ids[i], User: user}, members); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}
