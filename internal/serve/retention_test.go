package serve

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/signin"
	"github.com/confab-chat/confab/store/memstore"
)

// TestServer_retention has a server whose rooms keep messages for two days find some of three days,
// and its operator say otherwise for a room.
func TestServer_retention(t *testing.T) {
	const day = 24 * time.Hour
	log := memstore.NewLog(memstore.Options{})
	send := func(room, id string, age time.Duration) {
		t.Helper()
		d := chat.Draft{Room: room, From: "alice", ID: id, Text: "x", At: time.Now().Add(-age)}
		if _, err := log.Append(t.Context(), d, func(chat.Head, chat.Message) {}); err != nil {
			t.Fatal(err)
		}
	}
	cutIs := func(room string, want uint64) {
		t.Helper()
		var cut uint64
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
			heads, err := log.Heads(t.Context(), []string{room})
			if err != nil {
				t.Fatal(err)
			}
			if cut = heads[0].Cut; cut == want {
				return
			}
		}
		t.Fatalf("the room %s is cut at %d, want %d", room, cut, want)
	}
	join := chat.Join{Room: "tea", Name: "Tea", User: "alice", Kind: chat.PublicRoom}
	if _, _, err := log.Join(t.Context(), join); err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{chat.Lobby, "tea"} {
		send(room, "1", 3*day)
		send(room, "2", day+time.Hour)
		send(room, "3", 0)
	}
	if _, err := log.Keep(t.Context(), "tea", chat.KeepForever); err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Log: log, Retention: 2 * day, Drain: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(s.Operator("https://chat.example"))
	t.Cleanup(func() {
		host.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ask := func(path string, body, answer any) error {
		return signin.Ask(t.Context(), http.DefaultClient, host.URL+path, "", body, answer)
	}
	cutIs(chat.Lobby, 1)
	cutIs("tea", 0)
	var now KeptRoom
	set := map[string]any{"room": "TEA", "keepSeconds": int64(day / time.Second)}
	if err := ask("/rooms", set, &now); err != nil || now.Room != "tea" || now.KeepSeconds != 86400 {
		t.Fatalf("got %+v, %v", now, err)
	}
	cutIs("tea", 2)
	var rooms KeptRooms
	err = ask("/rooms", nil, &rooms)
	want := KeptRoom{Room: "tea", Name: "Tea", FirstSeq: 3, Seq: 3, KeepSeconds: 86400, DefaultSeconds: 172800}
	if err != nil || len(rooms.Rooms) != 2 || rooms.Rooms[1] != want {
		t.Errorf("got %+v, %v, want %+v as the second", rooms, err, want)
	}
	for _, bad := range []map[string]any{
		{"room": "nowhere", "keepSeconds": 0}, {"room": "tea", "keepSeconds": 60}, {"room": "a b", "keepSeconds": 0},
	} {
		if err := ask("/rooms", bad, &now); err == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
