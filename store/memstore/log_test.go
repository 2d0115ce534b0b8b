package memstore_test

import (
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestLog(t *testing.T) { storetest.RunLog(t, openLog) }

func TestLog_retention(t *testing.T) { storetest.RunRetention(t, openLog) }

func openLog(testing.TB) storetest.LogHarness {
	clock := storetest.NewClock()
	log := memstore.NewLog(memstore.Options{Now: clock.Now})
	return storetest.LogHarness{A: log, B: log, Clock: clock, Ordered: true}
}

// A slow then holds up neither other rooms nor readers of its own.
func TestLog_SlowThen(t *testing.T) {
	store := memstore.New(memstore.Options{})
	ctx := t.Context()
	for _, room := range []string{"tea", "milk"} {
		j := chat.Join{Room: room, Name: room, User: "ann", Kind: chat.PublicRoom}
		if _, _, err := store.Join(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	_, err := store.Append(ctx, chat.Draft{Room: "tea", From: "ann", ID: "m1", Text: "one"},
		func(chat.Head, chat.Message) {
			page, err := store.Messages(ctx, "tea", chat.Range{Limit: 1})
			if err != nil || len(page.Messages) != 1 {
				t.Errorf("Messages within then: %d messages, error %v, want 1", len(page.Messages), err)
			}
			d := chat.Draft{Room: "milk", From: "ann", ID: "m1", Text: "one"}
			if _, err := store.Append(ctx, d, func(chat.Head, chat.Message) {}); err != nil {
				t.Errorf("Append to another room within then: %v", err)
			}
			if err := store.Leave(ctx, "tea", "ann"); err != nil {
				t.Errorf("Leave within then: %v", err)
			}
		})
	if err != nil {
		t.Fatal(err)
	}
}
