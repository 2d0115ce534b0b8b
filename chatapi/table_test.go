package chatapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// Every action of package wire has a use case, and no route is without an action.
func TestRoutes(t *testing.T) {
	var actions []string
	for _, item := range wire.HelpActions() {
		a, err := wire.Decode(item.Example)
		if err != nil {
			t.Fatal(err)
		}
		actions = append(actions, a.Name)
		if routes[a.Name] == nil {
			t.Errorf("%s has no route", item.Action)
		}
	}
	for name := range routes {
		if !slices.Contains(actions, name) {
			t.Errorf("the route %s is no action", name)
		}
	}
}

// kinds are all kinds of error: the first that has no name of its own ends them.
func kinds() []chat.Kind {
	var all []chat.Kind
	for k := chat.Kind(0); !strings.HasPrefix(k.String(), "kind "); k++ {
		all = append(all, k)
	}
	return all
}

func TestCodes(t *testing.T) {
	want := map[chat.Kind]wire.Code{ // docs/protocol.md
		chat.Internal: "internal", chat.Invalid: "bad_field", chat.NotFound: "not_found",
		chat.NotMember: "not_member", chat.Forbidden: "forbidden", chat.Taken: "taken",
		chat.IDReused: "id_reused", chat.Limited: "rate_limited", chat.TooLarge: "too_large",
		chat.Unavailable: "unavailable", chat.Unknown: "unknown_outcome", chat.Corrupt: "internal",
		chat.Unauthenticated: "forbidden",
	}
	if !maps.Equal(codes, want) {
		t.Errorf("codes %v, want %v", codes, want)
	}
	for _, k := range kinds() {
		if _, ok := codes[k]; !ok {
			t.Errorf("%s has no code", k)
		}
	}
	for k, status := range statuses {
		if http.StatusText(status) == "" || status < 400 {
			t.Errorf("%s is answered with status %d", k, status)
		}
	}
}

// JSONSize is what pages are bounded by: no message may take more as an item of a history.
func FuzzMessage_JSONSize(f *testing.F) {
	f.Add("tea", "alice", "m1", "hi", uint64(1), false)
	f.Add("lobby", "Ольга", `"\"\`, "\n\t\"\\", uint64(1)<<53-1, true)
	f.Add("@a,b", strings.Repeat("é", 32), strings.Repeat("\x01", 64), strings.Repeat("\n", 16384), ^uint64(0), true)
	f.Fuzz(func(t *testing.T, room, from, id, text string, seq uint64, duplicate bool) {
		var err error
		if from, err = chat.CleanName("name", from); err != nil {
			return
		}
		if room, err = chat.RoomID(room); err != nil || len(id) > chat.MaxID || chat.CheckText("message", text) != nil {
			return
		}
		m := chat.Message{Room: room, Seq: seq, ID: id, From: from, Text: text, Duplicate: duplicate}
		head := chat.Head{Room: room, Name: room, Epoch: strings.Repeat("x", 26)}
		page := func(n int) int {
			h := wire.History{Room: room, Messages: make([]wire.Message, n)}
			for i := range h.Messages {
				h.Messages[i] = messageEvent(&head, &m)
			}
			return len(wire.Append(nil, h))
		}
		if size := page(2) - page(1); m.JSONSize() < size {
			t.Errorf("%d bytes as an item, JSONSize says %d", size, m.JSONSize())
		}
	})
}
