package sqlitestore_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// TestStore_RoomsOf_fresh has users join, read and leave while others look at their rooms all the time:
// what an operation has done is seen by who looks after it has returned.
func TestStore_RoomsOf_fresh(t *testing.T) {
	for name, options := range map[string]sqlitestore.Options{
		"who is there is known at once": {}, "and later": sqlitestore.Options{}.CheckAtOpen(-1),
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir(), options)
			ctx, cancel := context.WithCancel(t.Context())
			var looking, moving sync.WaitGroup
			for u := range 2 {
				user := fmt.Sprint("u", u)
				looking.Go(func() {
					for ctx.Err() == nil {
						runtime.Gosched()
						if _, err := s.RoomsOf(context.Background(), user); err != nil {
							t.Error(err)
							return
						}
					}
				})
				moving.Go(func() {
					for i := range 20 {
						if err := comeAndGo(s, user, fmt.Sprint("r", i%3), uint64(i+1)); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			moving.Wait()
			cancel()
			looking.Wait()
		})
	}
}

// comeAndGo has a user be in a room for a while, and read it up to seq.
func comeAndGo(s *sqlitestore.Store, user, room string, seq uint64) error {
	ctx := context.Background()
	sees := func(state bool, read uint64) error {
		rooms, err := s.RoomsOf(ctx, user)
		at := slices.IndexFunc(rooms, func(m chat.Member) bool { return m.Room == room })
		if err == nil && ((at >= 0) != state || state && rooms[at].Read < read) {
			err = fmt.Errorf("%s in %s %t, read to %d: got %v", user, room, state, read, rooms)
		}
		return err
	}
	j := chat.Join{Room: room, Name: room, User: user, Kind: chat.PublicRoom}
	if _, _, err := s.Join(ctx, j); err != nil {
		return err
	}
	if err := sees(true, 0); err != nil {
		return err
	}
	if err := s.MarkRead(ctx, user, room, seq); err != nil {
		return err
	}
	if err := sees(true, seq); err != nil {
		return err
	}
	if err := s.Leave(ctx, room, user); err != nil {
		return err
	}
	return sees(false, 0)
}
