package sqlitestore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// TestStore_damaged has one message damaged: what needs it fails, nothing is written any more, and all
// else is read as before.
func TestStore_damaged(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlitestore.Open(dir, sqlitestore.Options{}.KeepYoung(3)) // or Open would meet the damage
	ok(t, err)
	fill(t, s, 60)
	send(t, s, "lobby", "ann", "other", "not damaged")
	before := contents(t, s)
	ok(t, s.Close())
	file := filepath.Join(dir, "confab.db")
	data, err := os.ReadFile(file)
	ok(t, err)
	overwrite(t, file, bytes.Index(data, []byte("message 5 ")), []byte("M"))

	s = open(t, dir, sqlitestore.Options{})
	send(t, s, "lobby", "ann", "new", "written before the damage is met")
	_, err = s.Messages(t.Context(), "tea", chat.Range{After: 3, Limit: 5})
	wantKind(t, err, chat.Corrupt)
	for _, part := range []string{file, "`confab check`", "`confab restore`", `room "tea": message 5 fails`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not name %s", err, part)
		}
	}
	d := chat.Draft{Room: "lobby", From: "ann", ID: "refused", Text: "x", At: time.Now()}
	_, err = s.Append(t.Context(), d, func(chat.Head, chat.Message) { t.Error("then was called") })
	wantKind(t, err, chat.Corrupt)
	wantKind(t, s.MarkRead(t.Context(), "ann", "tea", 1), chat.Corrupt)

	p, err := s.Messages(t.Context(), "tea", chat.Range{After: 10, Limit: 20})
	ok(t, err)
	if len(p.Messages) != 20 || p.Messages[19] != before.Messages["tea"][29] {
		t.Errorf("the messages after it are not read as they were: %d", len(p.Messages))
	}
	p, err = s.Messages(t.Context(), "lobby", chat.Range{Limit: 20})
	ok(t, err)
	if len(p.Messages) != 2 {
		t.Errorf("the other room has %d messages, want 2", len(p.Messages))
	}
}

// TestOpen_largeTables has a row missing from a table that is too large to be checked by Open: it is
// found in the background, and then nothing is written any more.
func TestOpen_largeTables(t *testing.T) {
	dir := closed(t, 10)
	execSQL(t, filepath.Join(dir, "confab.db"), "DELETE FROM members WHERE user = 'bob'")
	_, err := sqlitestore.Open(dir, sqlitestore.Options{})
	wantKind(t, err, chat.Corrupt)
	s := open(t, dir, sqlitestore.Options{}.CheckAtOpen(1))
	await(t, func() bool { return chat.Is(s.MarkRead(t.Context(), "ann", "tea", 1), chat.Corrupt) })
}
