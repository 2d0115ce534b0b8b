package testenv_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

func TestHistory(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		epoch := alice.Join("tea").Epoch
		alice.Do("q0", `{"action":"history","id":"q0","room":"tea"}`).Is(t,
			`{"event":"history","id":"q0","room":"tea","messages":[],"more":false,"seq":0,"epoch":%q}`, epoch)
		fill(alice, "tea", 60)
		for _, try := range []struct {
			ask         string
			first, last int
			more        bool
		}{
			{``, 11, 60, true}, // the newest 50
			{`,"after":0`, 1, 50, true},
			{`,"after":0,"limit":60`, 1, 60, false},
			{`,"after":0,"limit":200`, 1, 60, false},
			{`,"after":0,"limit":1`, 1, 1, true},
			{`,"after":59`, 60, 60, false},
			{`,"after":60`, 1, 0, false},
			{`,"after":1000`, 1, 0, false},
			{`,"before":11`, 1, 10, false},
			{`,"before":61,"limit":60`, 1, 60, false},
			{`,"before":61,"limit":10`, 51, 60, true},
			{`,"before":31`, 1, 30, false},
			{`,"before":1`, 1, 0, false},
			{`,"before":1000,"limit":2`, 59, 60, true},
			{`,"limit":3`, 58, 60, true},
		} {
			var items []string
			for n := try.first; n <= try.last; n++ {
				items = append(items, item("tea", "alice", n))
			}
			alice.Do("q", `{"action":"history","id":"q","room":"tea"%s}`, try.ask).Is(t,
				`{"event":"history","id":"q","room":"tea","messages":[%s],"more":%t,"seq":60,"epoch":%q}`,
				strings.Join(items, ","), try.more, epoch)
		}
		alice.Send(`{"action":"history","room":"TEA","limit":1}`)
		alice.Event("history").Is(t, `{"event":"history","room":"tea","messages":[%s],"more":true,"seq":60,"epoch":%q}`,
			item("tea", "alice", 60), epoch)
		for _, wrong := range []string{
			`"limit":0`, `"limit":201`, `"limit":-1`, `"limit":1.5`, `"limit":"5"`, `"after":-1`, `"after":"0"`,
			`"after":null`, `"before":1e2`, `"after":9007199254740992`, `"before":0`, `"after":1,"before":9`,
		} {
			field, _, _ := strings.Cut(wrong[1:], `"`)
			f := refused(t, alice, "bad_field", "q", `{"action":"history","id":"q","room":"tea",%s}`, wrong)
			namesField(t, f, field)
		}
		namesField(t, refused(t, alice, "bad_field", "q", `{"action":"history","id":"q"}`), "room")
	})
}

// Paging in both directions gives every message once, also where a page is bounded by its bytes.
func TestHistory_Paging(t *testing.T) {
	testenv.Each(t, once, func(t *testing.T, e *testenv.Env) {
		alice := e.Dial(t, "alice")
		alice.Join("tea")
		const n = 25
		for i := 1; i <= n; i++ {
			text := fmt.Sprintf("%d ", i) + strings.Repeat(`"`, 8000) // 16,000 bytes as JSON
			id := fmt.Sprintf("m%d", i)
			frame := fmt.Sprintf(`{"action":"sendMessage","id":%q,"room":"tea","message":%q}`, id, text)
			alice.SendParts([]byte(frame), 30_000)
			if f := alice.Answer(id); f.Seq != uint64(i) {
				t.Fatalf("message %d: %.200s", i, f.Raw)
			}
		}
		const most = 96 << 10
		for at, pages := uint64(0), 0; at < n; pages++ {
			f := alice.Do("q", `{"action":"history","id":"q","room":"tea","after":%d,"limit":200}`, at)
			if len(f.Raw) > most+512 || len(f.Items()) < 2 && f.More {
				t.Fatalf("a page of %d messages has %d bytes", len(f.Items()), len(f.Raw))
			}
			for _, m := range f.Items() {
				if at++; m.Seq != at || !strings.HasPrefix(m.Message, fmt.Sprintf("%d ", at)) {
					t.Fatalf("number %d is %.60s", at, m.Raw)
				}
			}
			if f.More != (at < n) || pages > n {
				t.Fatalf("after %d of %d: more is %t", at, n, f.More)
			}
		}
		for at := uint64(n + 1); at > 1; {
			f := alice.Do("q", `{"action":"history","id":"q","room":"tea","before":%d}`, at)
			items := f.Items()
			if len(f.Raw) > most+512 || len(items) < 2 && f.More {
				t.Fatalf("a page of %d messages has %d bytes", len(items), len(f.Raw))
			}
			for i := len(items) - 1; i >= 0; i-- {
				if at--; items[i].Seq != at {
					t.Fatalf("number %d is %.60s", at, items[i].Raw)
				}
			}
			if f.More != (at > 1) {
				t.Fatalf("before %d: more is %t", at, f.More)
			}
		}
	})
}

// voiding is a log in which a number was given and never used.
type voiding struct {
	chat.Log
	seq uint64
}

func (v voiding) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	page, err := v.Log.Messages(ctx, room, r)
	for i := range page.Messages {
		if page.Messages[i].Seq == v.seq {
			page.Messages[i] = chat.Message{Room: room, Seq: v.seq, State: chat.Void}
		}
	}
	return page, err
}

func TestHistory_VoidsAndTombstones(t *testing.T) {
	options := once
	options.WrapLog = func(l chat.Log) chat.Log { return voiding{l, 2} }
	testenv.Each(t, options, func(t *testing.T, e *testenv.Env) {
		alice, bob := e.Dial(t, "alice"), e.Dial(t, "bob")
		epoch := alice.Join("tea").Epoch
		bob.Join("tea")
		fill(alice, "tea", 4)
		alice.Do("d1", `{"action":"deleteMessage","id":"d1","room":"tea","seq":3}`)
		bob.Do("q1", `{"action":"history","id":"q1","room":"tea"}`).Is(t,
			`{"event":"history","id":"q1","room":"tea","messages":[%s,{"seq":2,"void":true},{"seq":3,"deleted":true},%s],"more":false,"seq":4,"epoch":%q}`,
			item("tea", "alice", 1), item("tea", "alice", 4), epoch)

		again := e.Dial(t, "bob")
		again.Do("h1", `{"action":"hello","id":"h1","resume":{"tea":{"epoch":%q,"seq":1}}}`, epoch)
		again.Event("message").Is(t, `{"event":"message","room":"tea","seq":2,"void":true}`)
		again.Event("message").Is(t, `{"event":"message","room":"tea","seq":3,"deleted":true}`)
		again.Event("message").Is(t, `{"event":"message",%s`, item("tea", "alice", 4)[1:])
		again.Event("resumed").Is(t, `{"event":"resumed","id":"h1","room":"tea","seq":4,"more":false}`)
	})
}
