package auth_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/iotest"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

func named(name string) auth.Request {
	return auth.Request{Query: map[string]string{"name": name}}
}

func TestOpen_Identify(t *testing.T) {
	ctx := context.Background()
	t.Run("the name as written, in NFC", func(t *testing.T) {
		for name, want := range map[string]string{"alice": "alice", "ALICE": "ALICE", "Ju\u0308rgen": "J\u00fcrgen"} {
			id, err := auth.Open{}.Identify(ctx, named(name))
			if err != nil || id.User != want {
				t.Errorf("%q is %q, %v; want %q", name, id.User, err, want)
			}
		}
	})
	t.Run("bad name", func(t *testing.T) {
		for _, name := range []string{"", " ", "a b", "<b>", "../etc", "\u0430dmin", "a\x00", "@alice"} {
			id, err := auth.Open{}.Identify(ctx, named(name))
			var e *chat.Error
			if !errors.As(err, &e) || e.Kind != chat.Invalid || e.Field != "name" || id.User != "" {
				t.Errorf("%q is %q, %v", name, id.User, err)
			}
		}
	})
	t.Run("the first sub-protocol is answered", func(t *testing.T) {
		for offered, want := range map[string]string{
			"authorization, eyJhbGciOi": "authorization", " chat ,superchat": "chat", "confab": "confab", "": "",
		} {
			r := named("alice")
			r.Headers = map[string]string{"Sec-WebSocket-Protocol": offered}
			if id, err := (auth.Open{}).Identify(ctx, r); err != nil || id.Protocol != want || id.User != "alice" {
				t.Errorf("%q: got %v, %v, want %q", offered, id, err, want)
			}
		}
	})
	t.Run("nothing else of the query names a user", func(t *testing.T) {
		id, err := auth.Open{}.Identify(ctx, auth.Request{Query: map[string]string{
			"Name": "alice", "user": "alice", "username": "alice", "from": "alice", "dialect": "native",
		}})
		if err != nil || !guest.MatchString(id.User) {
			t.Errorf("%q, %v", id.User, err)
		}
	})
}

var guest = regexp.MustCompile(`^guest-[a-z2-7]{6}$`)

func TestOpen_Identify_guest(t *testing.T) {
	ctx := context.Background()
	t.Run("is a clean name", func(t *testing.T) {
		id, err := auth.Open{}.Identify(ctx, auth.Request{})
		if err != nil || !guest.MatchString(id.User) {
			t.Fatalf("%q, %v", id.User, err)
		}
		if _, err := chat.CleanName("name", id.User); err != nil {
			t.Error(err)
		}
	})
	t.Run("is another one each time", func(t *testing.T) {
		seen := map[string]bool{}
		for range 100 { // 30 random bits: two alike in 5 of a million runs
			id, err := auth.Open{}.Identify(ctx, auth.Request{})
			if err != nil || seen[id.User] {
				t.Fatalf("%q again, or %v", id.User, err)
			}
			seen[id.User] = true
		}
	})
	t.Run("is made of the source's bits", func(t *testing.T) {
		// RFC 4648, section 10: "foob" is MZXW6YQ in base 32.
		open := auth.Open{Rand: bytes.NewReader([]byte("foob"))}
		if id, err := open.Identify(ctx, auth.Request{}); err != nil || id.User != "guest-mzxw6y" {
			t.Errorf("%q, %v", id.User, err)
		}
	})
	t.Run("without randomness there is none", func(t *testing.T) {
		broken := errors.New("no entropy")
		id, err := auth.Open{Rand: iotest.ErrReader(broken)}.Identify(ctx, auth.Request{})
		if id.User != "" || !errors.Is(err, broken) || chat.KindOf(err) != chat.Internal {
			t.Errorf("%q, %v", id.User, err)
		}
	})
}
