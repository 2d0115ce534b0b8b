package sqlitestore_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// TestStore_Cut wants what was cut, its text, its id and its sender, to be in none of the files and
// in no backup, while what stays is intact.
func TestStore_Cut(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{}.KeepYoung(20))
	mark := func(kind string, i int) string { return fmt.Sprintf("<%s %d>", kind, i) }
	for i := range 60 {
		text := mark("text", i) + strings.Repeat("z", i*i*3)
		send(t, s, chat.Lobby, mark("from", i), mark("id", i), text)
	}
	_, err := s.Delete(t.Context(), chat.Lobby, 5, "")
	ok(t, err)
	if len(holds(t, dir, mark("text", 39))) == 0 {
		t.Fatal("the text is in no file before it is cut: nothing would be tested")
	}
	stop := writeOn(t, s)
	_, err = s.Cut(t.Context(), chat.Lobby, 40)
	ok(t, err)
	stop()
	backup := filepath.Join(t.TempDir(), "backup.db")
	ok(t, sqlitestore.Backup(t.Context(), dir, backup, noProgress))
	for i := range 40 {
		for _, kind := range []string{"text", "id", "from"} {
			for _, where := range []string{dir, filepath.Dir(backup)} {
				if files := holds(t, where, mark(kind, i)); len(files) > 0 {
					t.Fatalf("%s is still in %v", mark(kind, i), files)
				}
			}
		}
	}
	page, err := s.Messages(t.Context(), chat.Lobby, chat.Range{Limit: 20})
	ok(t, err)
	for i, m := range page.Messages {
		if m.Seq != uint64(41+i) || !strings.HasPrefix(m.Text, mark("text", 40+i)) {
			t.Fatalf("message %d: got %d, %.20q", i, m.Seq, m.Text)
		}
	}
	for _, path := range []string{dir, backup} {
		ok(t, sqlitestore.Check(t.Context(), path, func(line string) { t.Error(line) }))
	}
}
