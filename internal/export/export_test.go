package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/export"
	"github.com/confab-chat/confab/store/sqlitestore"
)

func ok(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// now is when everything in the tests happens; ids of messages of a day are remembered.
var now = time.Now().UTC().Truncate(time.Millisecond)

func open(tb testing.TB, dir string) *sqlitestore.Store {
	tb.Helper()
	s, err := sqlitestore.Open(dir, sqlitestore.Options{})
	ok(tb, err)
	tb.Cleanup(func() { ok(tb, s.Close()) })
	return s
}

func send(tb testing.TB, s *sqlitestore.Store, room, from, id, text string) chat.Message {
	tb.Helper()
	d := chat.Draft{Room: room, From: from, ID: id, Text: text, At: now}
	m, err := s.Append(context.Background(), d, func(chat.Head, chat.Message) {})
	ok(tb, err)
	return m
}

// texts are hard to write in a line.
var texts = []string{
	"plain", "two\nlines\tand a tab", `"quoted" \ and </script>&amp;`, "grüße \U0001f375",
	"\u2028\u2029\ufeff", "\ufffd", `{"type":"end","lines":0}`, strings.Repeat("x", chat.MaxText),
}

// filled makes a folder in use that has something of everything.
func filled(tb testing.TB) (dir string, s *sqlitestore.Store) {
	tb.Helper()
	ctx, dir := context.Background(), filepath.Join(tb.TempDir(), "data")
	s = open(tb, dir)
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
		ok(tb, err)
	}
	ok(tb, s.Leave(ctx, "den", "cyd"))
	for i := range 12 {
		send(tb, s, "tea", "ann", fmt.Sprint("t", i), texts[i%len(texts)])
		send(tb, s, chat.Lobby, "bob", fmt.Sprint("l", i), fmt.Sprint("<lobby ", i, ">"))
	}
	send(tb, s, "@ann,bob", "bob", "d", "<between us>")
	_, err := s.Delete(ctx, "tea", 6, "")
	ok(tb, err)
	_, err = s.Cut(ctx, chat.Lobby, 3)
	ok(tb, err)
	_, err = s.Keep(ctx, "tea", 30*24*time.Hour)
	ok(tb, err)
	_, err = s.Keep(ctx, "den", chat.KeepForever)
	ok(tb, err)
	ok(tb, s.MarkRead(ctx, "ann", "tea", 4))
	ok(tb, s.MarkRead(ctx, "cyd", chat.Lobby, 2))
	ok(tb, s.PutUser(ctx, chat.User{Name: "Ann", Since: now}))
	ok(tb, s.SetDisplay(ctx, "Ann", "Ann of the <Lobby>"))
	fillPeople(tb, s)
	return dir, s
}

func fillPeople(tb testing.TB, s *sqlitestore.Store) {
	tb.Helper()
	ctx := context.Background()
	ok(tb, s.PutAccount(ctx, auth.Account{ID: "u-1", Handle: "ann", Owner: true, Since: now}))
	ok(tb, s.PutAccount(ctx, auth.Account{
		ID: "u-2", Handle: "bob", Subject: "https://i.example 4", Disabled: true, Since: now,
	}))
	ok(tb, s.PutSession(ctx, auth.Session{
		Hash: auth.HashOf("secret session"), Account: "u-1", Device: "a phone", Made: now, Used: now,
		Until: now.Add(time.Hour),
	}, now))
	ok(tb, s.PutLink(ctx, auth.Link{
		Hash: auth.HashOf("secret link"), Kind: auth.InviteLink, Uses: 1,
		Made: now, Until: now.Add(time.Hour),
	}, now))
	ok(tb, s.Record(ctx, auth.Entry{ID: "e-1", At: now, Actor: auth.Operator, Action: "invite"}))
}

func write(tb testing.TB, path string, o export.Options) string {
	tb.Helper()
	var out bytes.Buffer
	ok(tb, export.Write(context.Background(), path, &out, o))
	return out.String()
}

func read(dir, text string) error {
	return export.Read(context.Background(), strings.NewReader(text), dir, func(int) {})
}

// TestRoundTrip exports a folder in use, imports that, and wants the same export and the same chat.
func TestRoundTrip(t *testing.T) {
	for _, sessions := range []bool{false, true} {
		t.Run(fmt.Sprintf("sessions %t", sessions), func(t *testing.T) {
			dir, s := filled(t)
			o := export.Options{Sessions: sessions}
			first := write(t, dir, o)
			fresh := filepath.Join(t.TempDir(), "fresh")
			ok(t, read(fresh, first))
			ok(t, sqlitestore.Check(t.Context(), fresh, func(line string) { t.Error(line) }))
			if second := write(t, fresh, o); second != first {
				t.Errorf("the second export differs (-first +second):\n%s",
					cmp.Diff(strings.Split(first, "\n"), strings.Split(second, "\n")))
			}
			imported := open(t, fresh)
			for _, room := range []string{chat.Lobby, "tea", "den", "@ann,bob"} {
				before, after := page(t, s, room), page(t, imported, room)
				before.Head.Removed = nil // nobody is connected who left before the import
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("%s (-before +after):\n%s", room, diff)
				}
			}
			_, err := imported.Session(t.Context(), auth.HashOf("secret session"), now)
			if sessions != (err == nil) {
				t.Errorf("sessions %t: the session is found with error %v", sessions, err)
			}
			displays, err := imported.Displays(t.Context(), []string{"Ann"})
			if err != nil || displays["Ann"] != "Ann of the <Lobby>" {
				t.Errorf("display names: got %v, %v", displays, err)
			}
			testGoesOn(t, imported)
			ok(t, sqlitestore.Check(t.Context(), fresh, func(line string) { t.Error(line) }))
		})
	}
}

func page(tb testing.TB, s *sqlitestore.Store, room string) chat.Page {
	tb.Helper()
	p, err := s.Messages(context.Background(), room, chat.Range{Limit: chat.MaxPage})
	ok(tb, err)
	return p
}

// testGoesOn wants the next numbers, and ids that were used before to be known.
func testGoesOn(t *testing.T, s *sqlitestore.Store) {
	t.Helper()
	if m := send(t, s, "tea", "ann", "t0", texts[0]); m.Seq != 1 || !m.Duplicate {
		t.Errorf("an id from before the export: got %+v, want a duplicate of 1", m)
	}
	d := chat.Draft{Room: "tea", From: "ann", ID: "t5", Text: "\ufffd", At: now}
	_, err := s.Append(t.Context(), d, func(chat.Head, chat.Message) {})
	if !chat.Is(err, chat.IDReused) {
		t.Errorf("the id of a deleted message: got %v, want id_reused", err)
	}
	if m := send(t, s, "tea", "ann", "new", "next"); m.Seq != 13 {
		t.Errorf("the next message: got %d, want 13", m.Seq)
	}
	if m := send(t, s, "den", "ann", "new", "first"); m.Seq != 1 {
		t.Errorf("the first message: got %d, want 1", m.Seq)
	}
}

// TestWrite_secrets wants nothing in an export that signs in, or was taken away.
func TestWrite_secrets(t *testing.T) {
	dir, _ := filled(t)
	all := write(t, dir, export.Options{Sessions: true})
	for what, secret := range map[string]string{
		"link": auth.HashOf("secret link").String(), "link's id": auth.HashOf("secret link").ID(),
		"deleted text": `\ufffd`, "deleted text itself": "\ufffd", "text that is not kept": "<lobby 2>",
	} {
		if strings.Contains(all, secret) {
			t.Errorf("the export has the %s %q", what, secret)
		}
	}
	session := auth.HashOf("secret session").String()
	if !strings.Contains(all, "<lobby 3>") || !strings.Contains(all, session) {
		t.Error("the export lacks a text that is kept, or the session that was asked for")
	}
	if strings.Contains(write(t, dir, export.Options{}), session) {
		t.Error("the export has a session that was not asked for")
	}
}

// TestWrite_damage changes a text in the file: the export ends there, or leaves a void in its
// place.
func TestWrite_damage(t *testing.T) {
	dir, s := filled(t)
	ok(t, s.Close())
	file := filepath.Join(dir, "confab.db")
	data, err := os.ReadFile(file)
	ok(t, err)
	ok(t, os.WriteFile(file, bytes.Replace(data, []byte("<lobby 7>"), []byte("<lobby 9>"), 1), 0o600))
	err = export.Write(t.Context(), dir, &bytes.Buffer{}, export.Options{})
	const want = `room "lobby": message 8 fails its CRC`
	if !chat.Is(err, chat.Corrupt) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want Corrupt that names the message", err)
	}
	var lines []string
	tell := func(line string) { lines = append(lines, line) }
	rescued := write(t, dir, export.Options{Damaged: tell})
	if len(lines) != 1 || lines[0] != want {
		t.Errorf("told of %q, want %q", lines, want)
	}
	fresh := filepath.Join(t.TempDir(), "fresh")
	ok(t, read(fresh, rescued))
	p := page(t, open(t, fresh), chat.Lobby)
	for i, m := range p.Messages {
		if want := uint64(i + 4); m.Seq != want || (m.State == chat.Void) != (want == 8) {
			t.Errorf("message %d: got %+v", want, m)
		}
	}
	if len(p.Messages) != 9 {
		t.Errorf("%d messages, want 9", len(p.Messages))
	}
}

// TestWrite_pages overwrites whole pages: what is left can be imported, whatever it is.
func TestWrite_pages(t *testing.T) {
	dir, s := filled(t)
	ok(t, s.Close())
	file := filepath.Join(dir, "confab.db")
	whole, err := os.ReadFile(file)
	ok(t, err)
	rescued := 0
	for at := 4096; at < len(whole); at += 4096 {
		data := bytes.Clone(whole)
		copy(data[at:], bytes.Repeat([]byte{0xa5}, 4096))
		ok(t, os.WriteFile(file, data, 0o600))
		var out bytes.Buffer
		told := 0
		err := export.Write(t.Context(), file, &out, export.Options{Damaged: func(string) { told++ }})
		if err != nil {
			continue // not even that can be read; it says so
		}
		fresh := filepath.Join(t.TempDir(), "fresh")
		if err := read(fresh, out.String()); err != nil {
			t.Errorf("page %d: told of %d places, and the export cannot be read: %v", at/4096, told, err)
		}
		if told > 0 {
			rescued++
		}
	}
	if rescued < 10 {
		t.Errorf("only %d of %d pages could be missed", rescued, len(whole)/4096)
	}
}

// TestRead_refused changes lines of an export. Each is refused with its number and its member, and
// no folder is left.
func TestRead_refused(t *testing.T) {
	dir, _ := filled(t)
	good := write(t, dir, export.Options{Sessions: true})
	for _, c := range []struct{ from, to, want string }{
		{`{"type":"confab-export","version":1}`, `{"type":"confab-export","version":2}`, `line 1: version: 2`},
		{`{"type":"confab-export","version":1}`, `{"hello":1}`, `line 1: this is no export`},
		{`"name":"Tea"`, `"name":"Milk"`, `line 3: room: "tea" is not the id of a room named "Milk"`},
		{`"kind":"public"`, `"kind":"open"`, `line 3: kind: want lobby, public, private, direct`},
		{`"kind":"public"`, `"kind":"direct"`, `line 3: kind: the room "tea"`},
		{`"kind":"public"`, `"kind":"public","color":"red"`, `line 3: color: a line of type room has no such member`},
		{`"kind":"public"`, `"kind":"public","kind":"public"`, `line 3: kind: it is there twice`},
		{`"kind":"public"`, `"KIND":"public"`, `line 3: kind: want`},
		{`"kind":"public",`, ``, `line 3: kind: want`},
		{`"seq":12,"keep"`, `"seq":13,"keep"`, `seq: the room "tea" ends at 12, and should at 13`},
		{`"seq":12,"keep"`, `"seq":12.0,"keep"`, `line 3: seq: want a number in digits`},
		{`"seq":12,"keep"`, `"seq":-1,"keep"`, `line 3: seq: want a number in digits`},
		{`"seq":12,"keep"`, `"seq":"12","keep"`, `line 3: seq: want a number in digits`},
		{`"keep":"720h0m0s"`, `"keep":"1h0m0s"`, `line 3: keep: 1h0m0s is too short`},
		{`"keep":"720h0m0s"`, `"keep":"30 days"`, `line 3: keep: want a time as 720h0m0s`},
		{`"cut":3`, `"cut":13`, `line 2: cut: 13 is beyond`},
		{`"room":"tea","user":"ann","state":"joined"`, `"room":"tee","user":"ann","state":"joined"`, `: room: "tee" was not there before`},
		{`"room":"tea","user":"ann","state":"joined"`, `"room":"lobby","user":"ann","state":"joined"`, `: room: the lobby has no members`},
		{`"user":"cyd","state":"left"`, `"user":"cyd","state":"gone"`, `: state: want joined, invited, left`},
		{`"room":"tea","user":"ann","seq":4`, `"room":"tea","user":"ann","seq":13`, `: seq: 13 is beyond the room's last number 12`},
		{`"user":"Ann","display"`, `"user":"ann","display"`, `: user: "ann" was not there before`},
		{`"handle":"bob"`, `"handle":"ANN"`, `: handle: it is there already`},
		{`"account":"u-1"`, `"account":"u-3"`, `: account: "u-3" was not there before`},
		{`"hash":"`, `"hash":"0`, `: hash: want a SHA-256`},
		{`"room":"tea","seq":2,"id"`, `"room":"tea","seq":3,"id"`, `: seq: 3, and the next of the room "tea" is 2 of 12`},
		{`"text":"plain"`, `"text":""`, `: text: want a text that is not empty`},
		{`"text":"plain"`, `"text":"` + strings.Repeat("x", chat.MaxText+1) + `"`, `: text: want 1 to 16384 bytes`},
		{`"text":"plain"`, `"text":"\ud800"`, `: text: there is half a surrogate pair in it`},
		{`"text":"plain"`, `"text":["plain"]`, `: text: want a text, a number or a truth`},
		{`"text":"plain"`, `"text":"plain","deleted":true`, `: text: a line of type message has no such member`},
		{`"text":"plain"}`, `"text":"plain"} {}`, `: want one JSON object, and there is more in the line`},
		{`"text":"plain"}`, `"text":"plain"`, `: the line is not JSON`},
		{`"text":"plain"}`, "\"text\":\"pl\xffain\"}", `: the line is not UTF-8`},
		{`"text":"plain"`, `"text":"` + strings.Repeat("x", 2<<20) + `"`, `token too long`},
		{`"type":"message"`, `"type":"massage"`, `: type: "massage" is not known`},
		{`"type":"end","lines":`, `"type":"end","lines":1`, `the export is not complete`},
		{`{"type":"end"`, "\n" + `{"type":"end"`, `: want a JSON object`},
	} {
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Fatalf("the export has no %s:\n%.2000s", c.from, good)
		}
		fresh := filepath.Join(t.TempDir(), "fresh")
		err := read(fresh, bad)
		numbered := !strings.HasPrefix(c.want, "seq: the room") // what is missing is in no line
		if err == nil || numbered != strings.HasPrefix(err.Error(), "line ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80s: got %.300v, want %s", c.to, err, c.want)
		}
		if _, err := os.Stat(fresh); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%.80s: a folder is left: %v", c.to, err)
		}
	}
	for n := 1; n < strings.Count(good, "\n"); n += 6 {
		cut := strings.Join(strings.SplitAfter(good, "\n")[:n], "")
		if err := read(filepath.Join(t.TempDir(), "fresh"), cut); err == nil ||
			!strings.Contains(err.Error(), "it is not complete") {
			t.Fatalf("the first %d lines: got %v", n, err)
		}
	}
	if err := read(filepath.Join(t.TempDir(), "fresh"), good+good); err == nil {
		t.Error("an export with another behind it was read")
	}
	if err := read(filepath.Join(t.TempDir(), "fresh"), ""); err == nil {
		t.Error("nothing was read as an export")
	}
}

func TestRead_intoNewFolder(t *testing.T) {
	dir, _ := filled(t)
	err := read(dir, write(t, dir, export.Options{}))
	if !chat.Is(err, chat.Taken) {
		t.Errorf("into a folder in use: got %v, want Taken", err)
	}
	fresh := t.TempDir() // it is there, and empty
	ok(t, read(fresh, write(t, dir, export.Options{})))
	open(t, fresh)
}
