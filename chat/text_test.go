package chat_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
)

func asError(t *testing.T, err error) *chat.Error {
	t.Helper()
	var e *chat.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *chat.Error", err)
	}
	return e
}

func wantKind(t *testing.T, err error, want chat.Kind) {
	t.Helper()
	if !chat.Is(err, want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestCheckText(t *testing.T) {
	for name, text := range map[string]string{
		"one byte": "x", "newline and tab": "a\n\tb", "the limit": strings.Repeat("x", 16384),
		"the limit in two-byte letters": strings.Repeat("é", 8192), "bidi and joiners": "\u202e\u200d👩‍🚀",
		"markup": "<script>", "blank": " ", "replacement character": "\ufffd", "DEL's neighbours": "~\u00a0",
		"last code point": "\U0010ffff",
	} {
		t.Run(name, func(t *testing.T) {
			if err := chat.CheckText("message", text); err != nil {
				t.Error(err)
			}
		})
	}
	for name, c := range map[string]struct {
		text string
		kind chat.Kind
		says string
	}{
		"empty":               {"", chat.Invalid, "16384"},
		"one over":            {strings.Repeat("x", 16385), chat.TooLarge, "16384"},
		"one over in letters": {strings.Repeat("é", 8192) + "x", chat.TooLarge, "16384"},
		"null":                {"a\x00", chat.Invalid, "U+0000"},
		"carriage return":     {"a\r\n", chat.Invalid, "U+000D"},
		"escape":              {"\x1b[31m", chat.Invalid, "U+001B"},
		"last of C0":          {"\x1f", chat.Invalid, "U+001F"},
		"DEL":                 {"\x7f", chat.Invalid, "U+007F"},
		"first of C1":         {"\u0080", chat.Invalid, "U+0080"},
		"last of C1":          {"\u009f", chat.Invalid, "U+009F"},
		"no UTF-8":            {"a\xff", chat.Invalid, "UTF-8"},
		"cut":                 {"a\xe2\x82", chat.Invalid, "UTF-8"},
		"surrogate":           {"\xed\xa0\x80", chat.Invalid, "UTF-8"},
		"overlong null":       {"\xc0\x80", chat.Invalid, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			err := chat.CheckText("message", c.text)
			wantKind(t, err, c.kind)
			if e := asError(t, err); e.Field != "message" || !strings.Contains(e.Message, c.says) {
				t.Errorf("field %q, %q does not say %q", e.Field, e.Message, c.says)
			}
		})
	}
}

func TestDirectID(t *testing.T) {
	for _, c := range []struct{ a, b, id, first, second string }{
		{"alice", "bob", "@alice,bob", "alice", "bob"},
		{"bob", "alice", "@alice,bob", "alice", "bob"},
		{"alice", "alice", "@alice,alice", "alice", "alice"},
		{"Ольга", "bob", "@bob,Ольга", "bob", "Ольга"},
		{"alice", "Bob", "@Bob,alice", "Bob", "alice"},
	} {
		id := chat.DirectID(c.a, c.b)
		if id != c.id {
			t.Errorf("DirectID(%s, %s) = %q, want %q", c.a, c.b, id, c.id)
		}
		if a, b, ok := chat.DirectUsers(id); !ok || a != c.first || b != c.second {
			t.Errorf("DirectUsers(%q) = %q, %q, %v", id, a, b, ok)
		}
		if name, err := chat.CleanName("room", id); err == nil {
			t.Errorf("the id %q is the name %q", id, name)
		}
	}
	for _, id := range []string{"", "@", "@,", "@a", "@a,", "@,b", "@b,a", "alice,bob", "lobby"} {
		if a, b, ok := chat.DirectUsers(id); ok {
			t.Errorf("%q is the room of %q and %q", id, a, b)
		}
	}
}

func TestRoomID(t *testing.T) {
	for name, want := range map[string]string{
		"": "lobby", "lobby": "lobby", "LOBBY": "lobby", "Tea": "tea", "Teestraße": "teestrasse",
		"@alice,bob": "@alice,bob", "@Bob,alice": "@Bob,alice",
	} {
		if got, err := chat.RoomID(name); err != nil || got != want {
			t.Errorf("RoomID(%q) = %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"@", "@bob,alice", "@alice", "a b", "../etc", "аdmin"} {
		_, err := chat.RoomID(name)
		wantKind(t, err, chat.Invalid)
	}
}

func TestKindOf(t *testing.T) {
	cause := io.ErrUnexpectedEOF
	wrapped := fmt.Errorf("sending: %w", chat.Wrap(chat.Unavailable, "append", cause))
	if got := chat.KindOf(wrapped); got != chat.Unavailable {
		t.Errorf("the kind of a wrapped error is %s", got)
	}
	if !errors.Is(wrapped, cause) {
		t.Error("the cause is lost")
	}
	if got, want := wrapped.Error(), "sending: append: unavailable: unexpected EOF"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := chat.KindOf(cause); got != chat.Internal {
		t.Errorf("the kind of another error is %s", got)
	}
	if chat.Is(nil, chat.Internal) {
		t.Error("no error is internal")
	}
	if chat.Wrap(chat.Unknown, "append", nil) != nil {
		t.Error("no error became one")
	}
	if got := chat.E(chat.Taken, "the name %s is taken", "bob").Error(); got != "taken: the name bob is taken" {
		t.Errorf("%q", got)
	}
	outer := &chat.Error{Kind: chat.Unknown, Err: chat.E(chat.NotFound, "")}
	if got := chat.KindOf(outer); got != chat.Unknown {
		t.Errorf("of two kinds in a chain the inner one counts: %s", got)
	}
	e := &chat.Error{Kind: chat.Limited, RetryAfter: time.Second}
	if asError(t, fmt.Errorf("touch: %w", e)).RetryAfter != time.Second {
		t.Error("RetryAfter is lost")
	}
}

func TestKind_String(t *testing.T) {
	seen := map[string]bool{}
	for k := chat.Internal; k <= chat.Unauthenticated; k++ {
		if text := k.String(); text == "" || strings.HasPrefix(text, "kind ") || seen[text] {
			t.Errorf("kind %d is called %q", k, text)
		} else {
			seen[text] = true
		}
	}
	if text := (chat.Unauthenticated + 1).String(); text != "kind 13" {
		t.Errorf("an unknown kind is called %q", text)
	}
}

func TestHead_Outdated(t *testing.T) {
	h := chat.Head{Removed: map[string]uint64{"bob": 3}}
	for _, c := range []struct {
		user string
		gen  uint64
		want bool
	}{{"bob", 0, true}, {"bob", 2, true}, {"bob", 3, false}, {"bob", 4, false}, {"alice", 0, false}} {
		if got := h.Outdated(c.user, c.gen); got != c.want {
			t.Errorf("%s of generation %d: %v, want %v", c.user, c.gen, got, c.want)
		}
	}
}
