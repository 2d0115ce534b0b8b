package sqlitestore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// holds tells which files of a folder hold some bytes.
func holds(tb testing.TB, dir, text string) (files []string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	ok(tb, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		ok(tb, err)
		if bytes.Contains(data, []byte(text)) {
			files = append(files, e.Name())
		}
	}
	return files
}

// TestStore_Delete wants a deleted text to be in none of the files. Texts of all lengths in many
// rooms make the pages of the database split and fill in every way.
func TestStore_Delete(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	random := rand.New(rand.NewPCG(1, 2))
	type place struct {
		room string
		seq  uint64
		mark string
	}
	var places []place
	var writing sync.WaitGroup
	var mu sync.Mutex
	for r := range 20 {
		room := fmt.Sprintf("r%d", r)
		_, _, err := s.Join(t.Context(), chat.Join{Room: room, Name: room, User: "ann", Kind: chat.PublicRoom})
		ok(t, err)
		lengths := random.Perm(60)
		writing.Go(func() {
			for i, n := range lengths {
				mark := fmt.Sprintf("<mark %d/%d>", r, i)
				m := send(t, s, room, "ann", fmt.Sprint(i), mark+strings.Repeat("y", n*n))
				mu.Lock()
				places = append(places, place{room, m.Seq, mark})
				mu.Unlock()
			}
		})
	}
	writing.Wait()
	if got := holds(t, dir, places[0].mark); len(got) == 0 {
		t.Fatal("the text is in no file before it is deleted: nothing would be tested")
	}
	random.Shuffle(len(places), func(i, j int) { places[i], places[j] = places[j], places[i] })
	gone := places[:len(places)/2]
	t.Run("one", func(t *testing.T) {
		_, err := s.Delete(t.Context(), gone[0].room, gone[0].seq, "ann")
		ok(t, err)
		if files := holds(t, dir, gone[0].mark); len(files) > 0 {
			t.Errorf("%s is still in %v", gone[0].mark, files)
		}
	})
	t.Run("many at once, while others write", func(t *testing.T) {
		stop := writeOn(t, s)
		var deleting sync.WaitGroup
		for i := range 8 {
			deleting.Go(func() {
				for j := i; j < len(gone); j += 8 {
					if _, err := s.Delete(t.Context(), gone[j].room, gone[j].seq, "ann"); err != nil {
						t.Error(err)
					}
				}
			})
		}
		deleting.Wait()
		stop()
		for _, p := range gone {
			if files := holds(t, dir, p.mark); len(files) > 0 {
				t.Fatalf("%s is still in %v", p.mark, files)
			}
		}
	})
	t.Run("leaves the others", func(t *testing.T) {
		for _, p := range places[len(gone):] {
			page, err := s.Messages(t.Context(), p.room, chat.Range{After: p.seq - 1, Limit: 1})
			ok(t, err)
			if !strings.HasPrefix(page.Messages[0].Text, p.mark) {
				t.Fatalf("message %d of %s: got %.20q, want %q", p.seq, p.room, page.Messages[0].Text, p.mark)
			}
		}
	})
	ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
}

// TestStore_Delete_held has another program read the write-ahead log, so that it cannot be emptied:
// Delete waits for it, and a crash meanwhile leaves the text to the next start.
func TestStore_Delete_held(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{})
	m := send(t, s, "lobby", "ann", "1", "<mark>")
	release := holdRead(t, filepath.Join(dir, "confab.db"))
	deleted := make(chan error)
	go func() {
		_, err := s.Delete(context.Background(), "lobby", m.Seq, "")
		deleted <- err
	}()
	for state := chat.Stored; state != chat.Deleted; {
		page, err := s.Messages(t.Context(), "lobby", chat.Range{Limit: 1})
		ok(t, err)
		state = page.Messages[0].State
	}
	crashed := copyOf(t, dir)
	if len(holds(t, crashed, "<mark>")) == 0 {
		t.Fatal("the text is in no file: nothing would be tested")
	}
	restarted := open(t, crashed, sqlitestore.Options{})
	if files := holds(t, crashed, "<mark>"); len(files) > 0 {
		t.Errorf("after a start the text is still in %v", files)
	}
	page, err := restarted.Messages(t.Context(), "lobby", chat.Range{Limit: 1})
	ok(t, err)
	if got := page.Messages[0]; got.State != chat.Deleted || got.Text != "" {
		t.Errorf("after a start: got %+v, want a tombstone", got)
	}
	release()
	ok(t, <-deleted)
	if files := holds(t, dir, "<mark>"); len(files) > 0 {
		t.Errorf("the text is still in %v", files)
	}
}

// holdRead reads a database in a transaction until it is released.
func holdRead(tb testing.TB, file string) (release func()) {
	tb.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	ok(tb, err)
	tx, err := db.Begin()
	ok(tb, err)
	var n int
	ok(tb, tx.QueryRow("SELECT count(*) FROM messages").Scan(&n))
	return func() { ok(tb, errors.Join(tx.Rollback(), db.Close())) }
}
