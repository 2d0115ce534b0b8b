package sqlitestore

import (
	"fmt"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// TestPeople_offer keeps a list that was read only where nothing has changed it meanwhile.
func TestPeople_offer(t *testing.T) {
	rooms := []chat.Member{{Room: chat.Lobby, User: "ann"}}
	for name, c := range map[string]struct {
		meanwhile func(*people)
		kept      bool
	}{
		"nothing":          {func(*people) {}, true},
		"another's commit": {func(p *people) { p.forget([]string{"bob"}) }, true},
		"one's own commit": {func(p *people) { p.forget([]string{"ann"}) }, false},
		"a later reader":   {func(p *people) { p.list("ann") }, false},
		"a reader who fails": {func(p *people) {
			_, ticket := p.list("bob")
			p.offer("bob", nil, ticket)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeople()
			none, ticket := p.list("ann")
			if none != nil {
				t.Fatalf("a list that nobody has read: %v", none)
			}
			c.meanwhile(p)
			p.offer("ann", rooms, ticket)
			got, _ := p.list("ann")
			if (got != nil) != c.kept {
				t.Errorf("kept %v, want %t", got, c.kept)
			}
		})
	}
	t.Run("is the caller's", func(t *testing.T) {
		p := newPeople()
		_, ticket := p.list("ann")
		p.offer("ann", rooms, ticket)
		first, _ := p.list("ann")
		first[0].Room = "changed"
		if again, _ := p.list("ann"); again[0].Room != chat.Lobby {
			t.Errorf("got %v", again)
		}
	})
	t.Run("is bounded", func(t *testing.T) {
		p := newPeople()
		long := make([]chat.Member, chat.MaxRooms)
		for i := range 3 * maxCachedLists / len(long) {
			user := fmt.Sprint("u", i)
			_, ticket := p.list(user)
			p.offer(user, long, ticket)
			if p.held > maxCachedLists || p.held != len(p.lists)*len(long) {
				t.Fatalf("%d members are held in %d lists of %d", p.held, len(p.lists), len(long))
			}
		}
		for i := range 3 * maxCachedLists / len(long) {
			p.forget([]string{fmt.Sprint("u", i)})
		}
		if p.held != 0 || len(p.asked) != 0 {
			t.Errorf("%d members are held and %d readers asked after all was forgotten", p.held, len(p.asked))
		}
	})
}
