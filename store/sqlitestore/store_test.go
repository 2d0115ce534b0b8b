package sqlitestore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
	"github.com/confab-chat/confab/store/storetest"
)

// open opens a store that is closed at the end of the test.
func open(tb testing.TB, dir string, o sqlitestore.Options) *sqlitestore.Store {
	tb.Helper()
	s, err := sqlitestore.Open(dir, o)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) { storetest.RunLog(t, harness(sqlitestore.Options{})) }

// TestStore_age runs the suite with nearly all message ids in the table and not in memory.
func TestStore_age(t *testing.T) { storetest.RunLog(t, harness(sqlitestore.Options{}.KeepYoung(3))) }

func TestStore_retention(t *testing.T) {
	storetest.RunRetention(t, harness(sqlitestore.Options{}))
}

func TestStore_retention_age(t *testing.T) {
	storetest.RunRetention(t, harness(sqlitestore.Options{}.KeepYoung(3)))
}

func harness(options sqlitestore.Options) func(testing.TB) storetest.LogHarness {
	return func(tb testing.TB) storetest.LogHarness {
		clock := storetest.NewClock()
		options.Now = clock.Now
		dir := tb.TempDir()
		s := open(tb, dir, options)
		return storetest.LogHarness{
			A: s, B: s, Clock: clock, Ordered: true,
			Reopen: func() (a, b chat.Log) {
				// What a crash leaves is what the files hold now.
				dir = copyOf(tb, dir)
				s := open(tb, dir, options)
				return s, s
			},
		}
	}
}

func TestStore_Append(t *testing.T) {
	t.Run("commits what has queued as one", func(t *testing.T) {
		s := open(t, t.TempDir(), sqlitestore.Options{})
		const writers = 50
		resume := s.Pause()
		before := s.Commits()
		var writing sync.WaitGroup
		var order []uint64 // then is called by the committer alone
		for w := range writers {
			writing.Go(func() {
				d := chat.Draft{Room: "lobby", From: fmt.Sprint("u", w), ID: "1", Text: "x", At: time.Now()}
				if w%10 == 9 {
					d.Room = "nowhere" // fails alone
				}
				_, err := s.Append(t.Context(), d, func(_ chat.Head, m chat.Message) { order = append(order, m.Seq) })
				if d.Room == "lobby" && err != nil || d.Room != "lobby" && !chat.Is(err, chat.NotFound) {
					t.Errorf("Append in %s: %v", d.Room, err)
				}
			})
		}
		await(t, func() bool { return s.Queued() == writers })
		resume()
		writing.Wait()
		if got := s.Commits() - before; got != 1 {
			t.Errorf("%d commits, want 1", got)
		}
		if !slices.IsSorted(order) || len(order) != 45 {
			t.Errorf("then was called in the order %v", order)
		}
	})
	t.Run("takes back what waits when its context ends", func(t *testing.T) {
		s := open(t, t.TempDir(), sqlitestore.Options{})
		resume := s.Pause()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		d := chat.Draft{Room: "lobby", From: "ann", ID: "1", Text: "x", At: time.Now()}
		go func() {
			_, err := s.Append(ctx, d, func(chat.Head, chat.Message) { t.Error("then was called") })
			done <- err
		}()
		await(t, func() bool { return s.Queued() == 1 })
		cancel()
		wantKind(t, <-done, chat.Unavailable)
		resume()
		if m := send(t, s, "lobby", "ann", "1", "x"); m.Seq != 1 || m.Duplicate {
			t.Errorf("the same again: got %+v, want the first message", m)
		}
	})
}

// TestStore_Append_forgets has ids leave the table after 24 h.
func TestStore_Append_forgets(t *testing.T) {
	clock := storetest.NewClock()
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{Now: clock.Now}.KeepYoung(10))
	n := 0
	more := func(count int) {
		for range count {
			n++
			d := chat.Draft{Room: "lobby", From: "ann", ID: fmt.Sprint(n), Text: "x", At: clock.Now()}
			_, err := s.Append(t.Context(), d, func(chat.Head, chat.Message) {})
			ok(t, err)
		}
	}
	more(300)
	clock.Advance(chat.DedupWindow)
	more(300)
	ok(t, s.Close())
	if got := count(t, filepath.Join(dir, "confab.db"), "sent"); got < 200 || got > 350 {
		t.Errorf("the table holds %d ids of 300 that are remembered and 300 that are not", got)
	}
	ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
}
