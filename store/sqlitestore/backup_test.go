package sqlitestore_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

func noProgress(int, int) {}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	fill(t, s, 50)
	file := filepath.Join(t.TempDir(), "backup.db")
	t.Run("while messages are written", func(t *testing.T) {
		stop := writeOn(t, s)
		var done, total int
		ok(t, sqlitestore.Backup(t.Context(), dir, file, func(d, n int) { done, total = d, n }))
		stop()
		if total == 0 || done != total {
			t.Errorf("progress ended with %d of %d pages", done, total)
		}
		entries, err := os.ReadDir(filepath.Dir(file))
		ok(t, err)
		if len(entries) != 1 {
			t.Errorf("got files %v, want the backup alone", entries)
		}
		wantMode(t, file, 0o600)
		ok(t, sqlitestore.Check(t.Context(), file, func(line string) { t.Error(line) }))
	})
	t.Run("overwrites nothing", func(t *testing.T) {
		wantKind(t, sqlitestore.Backup(t.Context(), dir, file, noProgress), chat.Taken)
	})
	t.Run("of a folder that is not in use", func(t *testing.T) {
		stopped := copyOf(t, dir)
		ok(t, sqlitestore.Backup(t.Context(), stopped, filepath.Join(t.TempDir(), "b.db"), noProgress))
	})
	t.Run("ends with its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		file := filepath.Join(t.TempDir(), "b.db")
		err := sqlitestore.Backup(ctx, dir, file, func(int, int) { cancel() })
		if err == nil {
			t.Error("Backup succeeded, want an error")
		}
		if left, err := filepath.Glob(file + "*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

func TestRestore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	fill(t, s, 20)
	file, fresh := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "restored")
	ok(t, sqlitestore.Backup(t.Context(), dir, file, noProgress))
	before := contents(t, s)
	ok(t, sqlitestore.Restore(t.Context(), file, fresh))
	ok(t, sqlitestore.Check(t.Context(), fresh, func(line string) { t.Error(line) }))
	restored := open(t, fresh, sqlitestore.Options{})
	after := contents(t, restored)
	for room, h := range after.Heads {
		if h.Epoch == "" || h.Epoch == before.Heads[room].Epoch {
			t.Errorf("epoch of %s: got %q, want a new one", room, h.Epoch)
		}
		h.Epoch = before.Heads[room].Epoch
		after.Heads[room] = h
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("content (-before +after):\n%s", diff)
	}
	m := send(t, restored, "tea", "ann", "after", "goes on")
	if want := before.Heads["tea"].Seq + 1; m.Seq != want {
		t.Errorf("next number: got %d, want %d", m.Seq, want)
	}
	t.Run("into a new folder only", func(t *testing.T) {
		wantKind(t, sqlitestore.Restore(t.Context(), file, fresh), chat.Taken)
	})
	t.Run("of a damaged backup makes nothing", func(t *testing.T) {
		overwrite(t, file, 3*4096, make([]byte, 4096))
		other := filepath.Join(t.TempDir(), "other")
		err := sqlitestore.Restore(t.Context(), file, other)
		wantKind(t, err, chat.Corrupt)
		if !strings.Contains(err.Error(), file) {
			t.Errorf("error %q does not name %s", err, file)
		}
		if _, err := os.Stat(other); !os.IsNotExist(err) {
			t.Errorf("the folder was made: %v", err)
		}
	})
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	fill(t, s, 20)
	send(t, s, "tea", "ann", "marked", "a text that stands out")
	t.Run("beside a server", func(t *testing.T) {
		stop := writeOn(t, s)
		ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
		stop()
	})
	ok(t, s.Close())
	t.Run("names file, room and message", func(t *testing.T) {
		file := filepath.Join(copyOf(t, dir), "confab.db")
		data, err := os.ReadFile(file)
		ok(t, err)
		overwrite(t, file, bytes.Index(data, []byte("stands out")), []byte("S"))
		var lines []string
		err = sqlitestore.Check(t.Context(), file, func(line string) { lines = append(lines, line) })
		wantKind(t, err, chat.Corrupt)
		if !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "confab restore") {
			t.Errorf("error %q names neither %s nor the next step", err, file)
		}
		if want := `room "tea": message 22 fails its CRC`; len(lines) != 1 || lines[0] != want {
			t.Errorf("reported %q, want %q", lines, want)
		}
	})
	t.Run("finds what was taken away", func(t *testing.T) {
		for statement, want := range map[string]string{
			"DELETE FROM messages WHERE seq = 5":                `room "tea": message 5 is missing`,
			"DELETE FROM messages WHERE seq = 22":               `messages with a CRC of`,
			"DELETE FROM members WHERE user = 'bob'":            `members (NOT INDEXED) has 3 rows`,
			"DELETE FROM users":                                 `users (NOT INDEXED) has 0 rows`,
			"DELETE FROM heads WHERE n = 2":                     `room "tea" has no head`,
			"DELETE FROM sums WHERE name = 'reads'":             `the sums of reads are missing`,
			"UPDATE rooms SET owner = 'bob' WHERE room = 'tea'": `the row of room "tea" fails its CRC`,
			"UPDATE messages SET seq = 99 WHERE seq = 22":       `fails its CRC`,
			"DROP INDEX members_user":                           `the table definitions are not those`,
		} {
			copied := copyOf(t, dir)
			execSQL(t, filepath.Join(copied, "confab.db"), statement)
			var lines []string
			err := sqlitestore.Check(t.Context(), copied, func(line string) { lines = append(lines, line) })
			wantKind(t, err, chat.Corrupt)
			if !strings.Contains(strings.Join(lines, "\n"), want) {
				t.Errorf("after %s: reported %q, want %q", statement, lines, want)
			}
		}
	})
}

// writeOn writes messages until it is told to stop.
func writeOn(t *testing.T, s *sqlitestore.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				d := chat.Draft{Room: "lobby", From: "ann", ID: fmt.Sprint(w, "-", i), Text: "x", At: time.Now()}
				if _, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() { cancel(); writing.Wait() }
}
