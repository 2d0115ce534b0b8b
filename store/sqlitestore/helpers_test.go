package sqlitestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// copyOf copies a data folder as it is, while a store may have it open: what a crash would leave.
// The index of the write-ahead log is left out, as it is in memory only.
func copyOf(tb testing.TB, dir string) string {
	tb.Helper()
	to := tb.TempDir()
	entries, err := os.ReadDir(dir)
	ok(tb, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		ok(tb, err)
		ok(tb, os.WriteFile(filepath.Join(to, e.Name()), data, fs.FileMode(0o600)))
	}
	return to
}

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wantKind(tb testing.TB, err error, kind chat.Kind) {
	tb.Helper()
	if !chat.Is(err, kind) {
		tb.Fatalf("got error %v, want kind %q", err, kind)
	}
}

func wantMode(tb testing.TB, file string, want fs.FileMode) {
	tb.Helper()
	info, err := os.Stat(file)
	ok(tb, err)
	if got := info.Mode().Perm(); got != want {
		tb.Errorf("mode of %s: got %o, want %o", file, got, want)
	}
}

// overwrite changes bytes of a file.
func overwrite(tb testing.TB, file string, at int, with []byte) {
	tb.Helper()
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	ok(tb, err)
	_, err = f.WriteAt(with, int64(at))
	ok(tb, err)
	ok(tb, f.Close())
}

// execSQL changes a database behind the store's back.
func execSQL(tb testing.TB, file, statement string) {
	tb.Helper()
	ok(tb, sqlOn(file, statement))
}

// count counts the rows of a table.
func count(tb testing.TB, file, table string) (n int) {
	tb.Helper()
	db, err := sql.Open("sqlite", file)
	ok(tb, err)
	ok(tb, db.QueryRow("SELECT count(*) FROM "+table).Scan(&n))
	ok(tb, db.Close())
	return n
}

// await waits until something is so.
func await(tb testing.TB, so func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal("it did not come to pass in 30 s")
		}
	}
}

// send appends a message and must succeed.
func send(tb testing.TB, s *sqlitestore.Store, room, from, id, text string) chat.Message {
	tb.Helper()
	d := chat.Draft{Room: room, From: from, ID: id, Text: text, At: time.UnixMilli(1_767_225_600_000)}
	m, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {})
	ok(tb, err)
	return m
}

// appenders are the writers of appendAll.
const appenders = 64

// joinAll makes rooms that the appenders are in.
func joinAll(tb testing.TB, s *sqlitestore.Store, rooms int) (names []string) {
	tb.Helper()
	for r := range rooms {
		names = append(names, fmt.Sprint("r", r))
	}
	var joining sync.WaitGroup
	for w := range appenders {
		joining.Go(func() {
			for _, room := range names {
				j := chat.Join{Room: room, Name: "r", User: fmt.Sprint("u", w), Kind: chat.PublicRoom}
				if _, _, err := s.Join(context.Background(), j); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	joining.Wait()
	return names
}

// appendAll has the appenders send n messages of 200 bytes in all, to the rooms in turn.
func appendAll(tb testing.TB, s *sqlitestore.Store, rooms []string, n int) {
	tb.Helper()
	text := strings.Repeat("x", 200)
	var next atomic.Int64
	var sending sync.WaitGroup
	for w := range appenders {
		sending.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				d := chat.Draft{
					Room: rooms[int(i)%len(rooms)], From: fmt.Sprint("u", w), ID: fmt.Sprintf("%016x", i*0x9E3779B9),
					Text: text, At: time.Now(),
				}
				if _, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {}); err != nil {
					tb.Error(err)
					return
				}
			}
		})
	}
	sending.Wait()
}

// fill makes a room of two users with n messages and a deleted one, and a private room.
func fill(tb testing.TB, s *sqlitestore.Store, n int) {
	tb.Helper()
	ctx := context.Background()
	for _, j := range []chat.Join{
		{Room: "tea", Name: "Tea", User: "ann", Kind: chat.PublicRoom},
		{Room: "tea", User: "bob"},
		{Room: "den", Name: "den", User: "ann", Kind: chat.PrivateRoom},
		{Room: "den", User: "cyd", By: "ann"},
	} {
		_, _, err := s.Join(ctx, j)
		ok(tb, err)
	}
	ok(tb, s.PutUser(ctx, chat.User{Name: "ann", Since: time.UnixMilli(1_767_225_600_000)}))
	ok(tb, s.MarkRead(ctx, "bob", "tea", 3))
	ok(tb, s.Leave(ctx, "den", "cyd"))
	for i := range n {
		from := []string{"ann", "bob"}[i%2]
		send(tb, s, "tea", from, fmt.Sprintf("id-%d", i+1), fmt.Sprintf("message %d %s", i+1, strings.Repeat("x", i)))
	}
	send(tb, s, "tea", "ann", "gone", "to be deleted")
	_, err := s.Delete(ctx, "tea", uint64(n+1), "ann")
	ok(tb, err)
}

// content is all that a store can be asked for.
type content struct {
	Heads    map[string]chat.Head
	Messages map[string][]chat.Message
	Members  map[string][]chat.Member
	Rooms    []chat.RoomName
	RoomsOf  map[string][]chat.Member
	Users    []chat.User
	People   people
}

// read reads all of a store's content, as far as fill and fillPeople made it.
func read(s *sqlitestore.Store, rooms ...string) (content, error) {
	ctx := context.Background()
	c := content{
		Heads: map[string]chat.Head{}, Messages: map[string][]chat.Message{},
		Members: map[string][]chat.Member{}, RoomsOf: map[string][]chat.Member{},
	}
	heads, err := s.Heads(ctx, rooms)
	if err != nil {
		return c, err
	}
	for _, h := range heads {
		c.Heads[h.Room] = h
	}
	for _, room := range rooms {
		for more := true; more; {
			p, err := s.Messages(ctx, room, chat.Range{After: uint64(len(c.Messages[room])), Limit: chat.MaxPage})
			if err != nil {
				return c, err
			}
			c.Messages[room] = append(c.Messages[room], p.Messages...)
			more = p.More
		}
		if c.Members[room], _, err = s.Members(ctx, room, "", 1000); err != nil {
			return c, err
		}
	}
	if c.Rooms, _, err = s.PublicRooms(ctx, "", 1000); err != nil {
		return c, err
	}
	for _, user := range []string{"ann", "bob", "cyd"} {
		if c.RoomsOf[user], err = s.RoomsOf(ctx, user); err != nil {
			return c, err
		}
	}
	if c.Users, _, err = s.Users(ctx, "", 1000); err != nil {
		return c, err
	}
	c.People, err = readPeople(s)
	return c, err
}

// contents reads what fill made.
func contents(tb testing.TB, s *sqlitestore.Store) content {
	tb.Helper()
	c, err := read(s, "lobby", "tea", "den")
	ok(tb, err)
	return c
}
