package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

func TestOpen(t *testing.T) {
	t.Run("while it is open", func(t *testing.T) {
		dir := t.TempDir()
		open(t, dir, sqlitestore.Options{})
		_, err := sqlitestore.Open(dir, sqlitestore.Options{})
		wantKind(t, err, chat.Taken)
		want := fmt.Sprintf("chat data in %s is in use by %s (process %d)", dir, filepath.Base(os.Args[0]), os.Getpid())
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("after it was closed", func(t *testing.T) {
		defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
		dir := t.TempDir()
		s, err := sqlitestore.Open(dir, sqlitestore.Options{})
		ok(t, err)
		fill(t, s, 10)
		before := contents(t, s)
		ok(t, s.Close())
		ok(t, s.Close())
		entries, err := os.ReadDir(dir)
		ok(t, err)
		if len(entries) != 2 {
			t.Errorf("after Close: files %v, want confab.db and confab.lock", entries)
		}
		if diff := cmp.Diff(before, reopened(t, dir)); diff != "" {
			t.Errorf("content (-before +after):\n%s", diff)
		}
		_, err = s.Append(t.Context(), chat.Draft{Room: "tea", From: "ann", ID: "x"}, func(chat.Head, chat.Message) {})
		wantKind(t, err, chat.Unavailable)
		_, err = s.Heads(t.Context(), []string{"tea"})
		wantKind(t, err, chat.Unavailable)
	})
	t.Run("of a newer version", func(t *testing.T) {
		dir := closed(t, 1)
		execSQL(t, filepath.Join(dir, "confab.db"), "PRAGMA user_version=3")
		_, err := sqlitestore.Open(dir, sqlitestore.Options{})
		wantKind(t, err, chat.Unavailable)
		if want := "schema version 3, written by a newer confab"; !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q", err, want)
		}
	})
	t.Run("after a crash while it was made", func(t *testing.T) {
		dir := t.TempDir()
		ok(t, os.WriteFile(filepath.Join(dir, "confab.db.new"), []byte("half"), 0o600))
		send(t, open(t, dir, sqlitestore.Options{}), "lobby", "ann", "1", "x")
	})
	for name, damage := range map[string]func(file string) error{
		"an empty file": func(file string) error { return os.Truncate(file, 0) },
		"another file": func(file string) error {
			return os.WriteFile(file, []byte(strings.Repeat("text ", 2000)), 0o600)
		},
		"half the file":    func(file string) error { return os.Truncate(file, 8192) },
		"another's tables": func(file string) error { return os.Rename(foreign(t), file) },
		"the last message missing": func(file string) error {
			return sqlOn(file, "DELETE FROM messages WHERE pos = (SELECT max(pos) FROM messages)")
		},
		"a young message missing": func(file string) error { return sqlOn(file, "DELETE FROM messages WHERE pos = 4") },
		"a log without its file":  func(file string) error { return os.Rename(file, file+"-wal") },
	} {
		t.Run("of "+name, func(t *testing.T) {
			dir := closed(t, 10)
			file := filepath.Join(dir, "confab.db")
			ok(t, damage(file))
			_, err := sqlitestore.Open(dir, sqlitestore.Options{})
			wantKind(t, err, chat.Corrupt)
			if !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "`confab restore`") {
				t.Errorf("error %q names neither %s nor the next step", err, file)
			}
		})
	}
}

// sqlOn changes a database behind the store's back.
func sqlOn(file, statement string) error {
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}

// TestOpen_verifies wants each table to be compared with its sums when a store is opened, by each of
// its indexes, but for those that hold the messages or the sums themselves.
func TestOpen_verifies(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(closed(t, 1), "confab.db"))
	ok(t, err)
	defer func() { ok(t, db.Close()) }()
	rows, err := db.Query("SELECT name FROM sqlite_schema WHERE sql IS NOT NULL")
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	for rows.Next() {
		var name string
		ok(t, rows.Scan(&name))
		if slices.Contains([]string{"heads", "messages", "sums"}, name) {
			continue
		}
		if !slices.Contains(sqlitestore.Verified(), name) {
			t.Errorf("Open does not look at %s", name)
		}
	}
	ok(t, rows.Err())
}

// reopened gives the content of a folder that was closed.
func reopened(tb testing.TB, dir string) content {
	tb.Helper()
	s, err := sqlitestore.Open(dir, sqlitestore.Options{})
	ok(tb, err)
	defer func() { ok(tb, s.Close()) }()
	return contents(tb, s)
}

// closed makes a folder with n messages and closes it.
func closed(tb testing.TB, n int) string {
	tb.Helper()
	dir := tb.TempDir()
	s, err := sqlitestore.Open(dir, sqlitestore.Options{})
	ok(tb, err)
	fill(tb, s, n)
	ok(tb, s.Close())
	return dir
}

// foreign makes a database of another program.
func foreign(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "other.db")
	execSQL(tb, file, "CREATE TABLE messages (id)")
	return file
}

// TestOpen_v1 reads the file that the first version wrote. What it holds is typed here by hand.
func TestOpen_v1(t *testing.T) {
	dir := t.TempDir()
	data, err := os.ReadFile(filepath.Join("testdata", "v1.db"))
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, "confab.db"), data, 0o600))
	now := time.Date(2026, time.January, 2, 9, 0, 0, 0, time.UTC)
	s := open(t, dir, sqlitestore.Options{Now: func() time.Time { return now }})
	at := time.Date(2026, time.January, 1, 10, 0, 0, 0, time.UTC)
	want := content{
		Heads: map[string]chat.Head{
			"lobby": {Room: "lobby", Name: "lobby", Kind: chat.LobbyRoom, Epoch: "epoch-1", Seq: 1},
			"tea":   {Room: "tea", Name: "Tea", Kind: chat.PublicRoom, Owner: "ann", Epoch: "epoch-2", Seq: 3},
			"den": {
				Room: "den", Name: "den", Kind: chat.PrivateRoom, Owner: "ann", Epoch: "epoch-3",
				Gen: 1, Removed: map[string]uint64{"cyd": 1},
			},
			"@ann,bob": {Room: "@ann,bob", Name: "@ann,bob", Kind: chat.DirectRoom, Epoch: "epoch-4", Seq: 1},
		},
		Messages: map[string][]chat.Message{
			"lobby": {{Room: "lobby", Seq: 1, ID: "l1", From: "bob", Text: "hello, lobby", At: at}},
			"tea": {
				{Room: "tea", Seq: 1, ID: "t1", From: "ann", Text: "grüße \U0001f375", At: at.Add(time.Millisecond)},
				{Room: "tea", Seq: 2, State: chat.Deleted, ID: "t2", From: "bob", At: at.Add(2 * time.Millisecond)},
				{Room: "tea", Seq: 3, ID: "t3", From: "bob", Text: "\"quoted\"\n\\", At: at.Add(3 * time.Millisecond)},
			},
			"den": nil,
			"@ann,bob": {
				{Room: "@ann,bob", Seq: 1, ID: "d1", From: "ann", Text: "psst", At: at.Add(4 * time.Millisecond)},
			},
		},
		Members: map[string][]chat.Member{
			"tea": {{Room: "tea", User: "ann", State: chat.Joined}, {Room: "tea", User: "bob", State: chat.Joined}},
			"den": {{Room: "den", User: "ann", State: chat.Joined}},
			"@ann,bob": {
				{Room: "@ann,bob", User: "ann", State: chat.Joined},
				{Room: "@ann,bob", User: "bob", State: chat.Joined},
			},
			"lobby": nil,
		},
		Rooms: []chat.RoomName{{Room: "tea", Name: "Tea"}},
		RoomsOf: map[string][]chat.Member{
			"ann": {
				{Room: "@ann,bob", User: "ann", State: chat.Joined},
				{Room: "den", User: "ann", State: chat.Joined},
				{Room: "lobby", User: "ann", State: chat.Joined},
				{Room: "tea", User: "ann", State: chat.Joined, Read: 2},
			},
			"bob": {
				{Room: "@ann,bob", User: "bob", State: chat.Joined},
				{Room: "den", User: "bob", State: chat.Invited, InvitedBy: "ann"},
				{Room: "lobby", User: "bob", State: chat.Joined, Read: 1},
				{Room: "tea", User: "bob", State: chat.Joined},
			},
			"cyd": {{Room: "lobby", User: "cyd", State: chat.Joined}},
		},
		Users:  []chat.User{{Name: "Ann", Since: at}, {Name: "bob", Since: at}},
		People: somePeople(),
	}
	got, err := read(s, "lobby", "tea", "den", "@ann,bob")
	ok(t, err)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("content (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		id, from, text string
		want           chat.Kind
	}{{"t1", "ann", "other", chat.IDReused}, {"t2", "bob", "other", chat.IDReused}} {
		d := chat.Draft{Room: "tea", From: c.from, ID: c.id, Text: c.text, At: now}
		_, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {})
		wantKind(t, err, c.want)
	}
	if m := send(t, s, "tea", "bob", "t2", "a slip"); m.Seq != 2 || !m.Duplicate {
		t.Errorf("repetition of the deleted message: got %+v, want the tombstone 2", m)
	}
}

//go:generate env CONFAB_MAKE_V1=1 go test -run ^TestMakeV1$ .

// TestMakeV1 makes testdata/v1.db anew where there is none. It is of the first version and is not to
// change: a later version gets a file of its own.
func TestMakeV1(t *testing.T) {
	file := filepath.Join("testdata", "v1.db")
	if _, err := os.Stat(file); err == nil || os.Getenv("CONFAB_MAKE_V1") == "" {
		return
	}
	at := time.Date(2026, time.January, 1, 10, 0, 0, 0, time.UTC)
	epochs := 0
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{
		Now:      func() time.Time { return at },
		NewEpoch: func() string { epochs++; return fmt.Sprintf("epoch-%d", epochs) },
	})
	makeV1(t, s, at)
	ok(t, s.Close())
	ok(t, os.MkdirAll("testdata", 0o755))
	data, err := os.ReadFile(filepath.Join(dir, "confab.db"))
	ok(t, err)
	ok(t, os.WriteFile(file, data, 0o644))
}

func makeV1(t *testing.T, s *sqlitestore.Store, at time.Time) {
	t.Helper()
	ctx := t.Context()
	for _, j := range []chat.Join{
		{Room: "tea", Name: "Tea", User: "ann", Kind: chat.PublicRoom},
		{Room: "tea", User: "bob"},
		{Room: "den", Name: "den", User: "ann", Kind: chat.PrivateRoom},
		{Room: "den", User: "bob", By: "ann"},
		{Room: "den", User: "cyd", By: "ann"},
		{Room: "@ann,bob", Name: "@ann,bob", User: "ann", Kind: chat.DirectRoom},
		{Room: "@ann,bob", Name: "@ann,bob", User: "bob", Kind: chat.DirectRoom},
	} {
		_, _, err := s.Join(ctx, j)
		ok(t, err)
	}
	ok(t, s.Leave(ctx, "den", "cyd"))
	for i, d := range []chat.Draft{
		{Room: "lobby", ID: "l1", From: "bob", Text: "hello, lobby"},
		{Room: "tea", ID: "t1", From: "ann", Text: "grüße \U0001f375"},
		{Room: "tea", ID: "t2", From: "bob", Text: "a slip"},
		{Room: "tea", ID: "t3", From: "bob", Text: "\"quoted\"\n\\"},
		{Room: "@ann,bob", ID: "d1", From: "ann", Text: "psst"},
	} {
		d.At = at.Add(time.Duration(i) * time.Millisecond)
		_, err := s.Append(ctx, d, func(chat.Head, chat.Message) {})
		ok(t, err)
	}
	_, err := s.Delete(ctx, "tea", 2, "bob")
	ok(t, err)
	ok(t, s.MarkRead(ctx, "ann", "tea", 2))
	ok(t, s.MarkRead(ctx, "bob", "lobby", 1))
	ok(t, s.PutUser(ctx, chat.User{Name: "Ann", Since: at}))
	ok(t, s.PutUser(ctx, chat.User{Name: "bob", Since: at}))
	fillPeople(t, s)
}
