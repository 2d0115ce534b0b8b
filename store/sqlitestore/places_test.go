package sqlitestore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// spread sends n messages to each of some rooms, which are made, by 8 writers at once.
func spread(tb testing.TB, s *sqlitestore.Store, rooms, n int) (names []string) {
	tb.Helper()
	for r := range rooms {
		names = append(names, fmt.Sprint("room", r))
		j := chat.Join{Room: names[r], Name: "r", User: "ann", Kind: chat.PublicRoom}
		_, _, err := s.Join(context.Background(), j)
		ok(tb, err)
	}
	var next atomic.Int64
	var sending sync.WaitGroup
	for range 8 {
		sending.Go(func() {
			for i := next.Add(1) - 1; i < int64(rooms*n); i = next.Add(1) - 1 {
				d := chat.Draft{
					Room: names[int(i)%rooms], From: "ann", ID: fmt.Sprint("id", i),
					Text: fmt.Sprintf("<text %d>", i), At: time.UnixMilli(1_767_225_600_000),
				}
				if _, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {}); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	sending.Wait()
	return names
}

// wantRange wants a page to be messages first to last.
func wantRange(tb testing.TB, s *sqlitestore.Store, room string, r chat.Range, first, last uint64, more bool) {
	tb.Helper()
	p, err := s.Messages(context.Background(), room, r)
	ok(tb, err)
	if p.More != more || uint64(len(p.Messages)) != last+1-first {
		tb.Fatalf("%s %+v: got %d messages, more %v, want %d to %d, more %v",
			room, r, len(p.Messages), p.More, first, last, more)
	}
	for i, m := range p.Messages {
		if m.Seq != first+uint64(i) {
			tb.Fatalf("%s %+v: got message %d in place %d, want %d", room, r, m.Seq, i, first+uint64(i))
		}
	}
}

// TestStore_Messages_places reads messages that are in memory, in the table of places, and across both,
// in rooms of all sizes, while they are carried over and after a crash.
func TestStore_Messages_places(t *testing.T) {
	for _, young := range []int{1, 7, 1000, 1 << 20} {
		t.Run(fmt.Sprint("young ", young), func(t *testing.T) {
			dir := t.TempDir()
			options := sqlitestore.Options{}.KeepYoung(young)
			s := open(t, dir, options)
			for _, room := range spread(t, s, 3, 1300) {
				wantRange(t, s, room, chat.Range{After: 0, Limit: 200}, 1, 200, true)
				wantRange(t, s, room, chat.Range{After: 500, Limit: 200}, 501, 700, true)
				wantRange(t, s, room, chat.Range{After: 1200, Limit: 200}, 1201, 1300, false)
				wantRange(t, s, room, chat.Range{Before: 1301, Limit: 200}, 1101, 1300, true)
				wantRange(t, s, room, chat.Range{Before: 514, Limit: 3}, 511, 513, true)
				wantRange(t, s, room, chat.Range{Before: 20, Limit: 200}, 1, 19, false)
			}
			crashed := copyOf(t, dir)
			ok(t, sqlitestore.Check(t.Context(), crashed, func(line string) { t.Error(line) }))
			s = open(t, crashed, options)
			for _, room := range []string{"room0", "room2"} {
				for after := uint64(0); after < 1300; after += 100 {
					wantRange(t, s, room, chat.Range{After: after, Limit: 100}, after+1, after+100, after < 1200)
				}
				if m := send(t, s, room, "ann", "one more", "x"); m.Seq != 1301 {
					t.Errorf("%s: the next number is %d, want 1301", room, m.Seq)
				}
			}
		})
	}
}

// TestStore_Messages_whileCarried has readers ask for all numbers of a room while messages leave the
// memory for the table.
func TestStore_Messages_whileCarried(t *testing.T) {
	s := open(t, t.TempDir(), sqlitestore.Options{}.KeepYoung(5))
	send(t, s, "lobby", "ann", "first", "x")
	stop := writeOn(t, s)
	defer stop()
	for range 1000 {
		heads, err := s.Heads(t.Context(), []string{"lobby"})
		ok(t, err)
		wantRange(t, s, "lobby", chat.Range{Before: heads[0].Seq + 1, Limit: 20},
			heads[0].Seq+1-min(20, heads[0].Seq), heads[0].Seq, heads[0].Seq > 20)
	}
}

// TestStore_Delete_carried deletes messages before, while and after they are carried over, and sends
// them again after a crash: the same text is a duplicate, another is refused.
func TestStore_Delete_carried(t *testing.T) {
	dir := t.TempDir()
	options := sqlitestore.Options{Now: sendTime}.KeepYoung(8)
	s := open(t, dir, options)
	const messages = 60
	for i := range messages {
		send(t, s, "lobby", "ann", fmt.Sprint(i), fmt.Sprintf("<text %d>", i))
		if i%5 == 4 { // one that is young, and one that is older
			for _, seq := range []uint64{uint64(i), uint64(i/2 + 1)} {
				_, err := s.Delete(t.Context(), "lobby", seq, "ann")
				ok(t, err)
			}
		}
	}
	s = open(t, copyOf(t, dir), options)
	page, err := s.Messages(t.Context(), "lobby", chat.Range{Limit: 200})
	ok(t, err)
	deleted := 0
	for i, m := range page.Messages {
		if m.State == chat.Deleted {
			deleted++
		}
		d := chat.Draft{Room: "lobby", From: "ann", ID: fmt.Sprint(i), Text: fmt.Sprintf("<text %d>", i), At: m.At}
		again, err := s.Append(t.Context(), d, func(chat.Head, chat.Message) {})
		if err != nil || !again.Duplicate || again.Seq != m.Seq {
			t.Errorf("message %d sent again: got %+v %v", m.Seq, again, err)
		}
		d.Text = "another"
		_, err = s.Append(t.Context(), d, func(chat.Head, chat.Message) {})
		wantKind(t, err, chat.IDReused)
	}
	if deleted < 20 {
		t.Errorf("%d of %d messages are deleted, want more", deleted, len(page.Messages))
	}
}

// sendTime is when send's messages are sent.
func sendTime() time.Time { return time.UnixMilli(1_767_225_600_000) }

// TestStore_Append_cost counts what a message costs with 64 writers in 100 rooms: CI holds it there.
func TestStore_Append_cost(t *testing.T) {
	s := open(t, t.TempDir(), sqlitestore.Options{}.KeepYoung(2000))
	const messages = 10_000
	commits, pages := s.Commits(), s.PagesWritten()
	appendAll(t, s, joinAll(t, s, 100), messages)
	perCommit := float64(messages) / float64(s.Commits()-commits)
	perMessage := float64(s.PagesWritten()-pages) / messages
	t.Logf("%.1f messages a commit, %.2f pages a message", perCommit, perMessage)
	if perCommit < 10 {
		t.Errorf("%.1f messages a commit, want 10 at least", perCommit)
	}
	if perMessage > 0.6 {
		t.Errorf("%.2f pages a message, want 0.6 at most", perMessage)
	}
}

// TestStore_Append_tabled sends messages again whose ids are in a large table, which a start reads in
// the background: they are known before and after that.
func TestStore_Append_tabled(t *testing.T) {
	dir := t.TempDir()
	options := sqlitestore.Options{Now: sendTime}.KeepYoung(10)
	s := open(t, dir, options)
	rooms := spread(t, s, 2, 300)
	ok(t, s.Close())
	if n := count(t, filepath.Join(dir, "confab.db"), "sent"); n < 500 {
		t.Fatalf("the table has %d ids: nothing would be tested", n)
	}
	for _, rows := range []int64{1, 1 << 20} { // read in the background, and by Open
		s := open(t, copyOf(t, dir), options.CheckAtOpen(rows))
		for i := range 600 {
			d := chat.Draft{
				Room: rooms[i%2], From: "ann", ID: fmt.Sprint("id", i), Text: fmt.Sprintf("<text %d>", i),
				At: sendTime(),
			}
			m, err := s.Append(t.Context(), d, func(chat.Head, chat.Message) {})
			if err != nil || !m.Duplicate {
				t.Fatalf("with %d rows: message %d sent again: got %+v %v", rows, i, m, err)
			}
		}
		await(t, s.KeysKnown)
		if m := send(t, s, "lobby", "ann", "new", "x"); m.Duplicate {
			t.Error("a new id was taken for one that was used")
		}
	}
}

// TestCheck_places wants Check to see an index that does not lead to the messages, also where each row
// looks good.
func TestCheck_places(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, sqlitestore.Options{}.KeepYoung(10))
	spread(t, s, 2, 100)
	ok(t, s.Close())
	const room0 = 2 // its number: the lobby is 1
	wrong, wrongCRC := sqlitestore.Places(room0, 1, 2, 3, 4)
	more, moreCRC := sqlitestore.Places(room0, 500, 1)
	for statement, want := range map[string]string{
		"DELETE FROM places WHERE first = 1":                           "places (NOT INDEXED) has ",
		"UPDATE places SET pos = x'0101' WHERE first = 1 AND room = 2": "fail their CRC",
		fmt.Sprintf(`UPDATE sums SET total = total + %d - (SELECT crc FROM places WHERE room = 2 AND first = 1)
			WHERE name = 'places'; UPDATE places SET pos = x'%x', crc = %[1]d WHERE room = 2 AND first = 1`,
			wrongCRC, wrong): `room "room0": places does not lead to its messages`,
		fmt.Sprintf(`UPDATE sums SET rows = rows + 1, total = total + %d WHERE name = 'places';
			INSERT INTO places VALUES (2, 500, x'%x', %[1]d)`, moreCRC, more): `room "room0": places does not lead`,
	} {
		copied := copyOf(t, dir)
		execSQL(t, filepath.Join(copied, "confab.db"), statement)
		var lines []string
		err := sqlitestore.Check(t.Context(), copied, func(line string) { lines = append(lines, line) })
		wantKind(t, err, chat.Corrupt)
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			t.Errorf("after %s: reported %q, want %q", statement, lines, want)
		}
		if strings.Contains(statement, "SELECT crc") { // a reader notices too
			_, err := open(t, copied, sqlitestore.Options{}).Messages(t.Context(), "room0", chat.Range{Limit: 3})
			wantKind(t, err, chat.Corrupt)
		}
	}
}
