package testenv

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

var fetches atomic.Uint64

// Fetch reads a room's log by history, from after (exclusive) to the head. A page that ends with
// more and has nothing is asked for again, as docs/protocol.md has it.
func (c *Client) Fetch(room string, after uint64) ([]Frame, error) {
	var all []Frame
	for deadline := time.Now().Add(patience); ; {
		page, more, err := c.page(room, after)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			if after++; m.Seq != after {
				return nil, fmt.Errorf("the history of %s has %s where number %d should be",
					room, m.Raw, after)
			}
		}
		all = append(all, page...)
		if !more {
			return all, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the history of %s does not end after %d", room, after)
		}
		if len(page) == 0 { // a number is given and not yet stored
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func (c *Client) page(room string, after uint64) ([]Frame, bool, error) {
	id := fmt.Sprintf("fetch-%d", fetches.Add(1))
	const ask = `{"action":"history","id":%q,"room":%q,"after":%d,"limit":200}`
	err := c.TrySend(fmt.Sprintf(ask, id, room, after))
	if err != nil {
		return nil, false, err
	}
	f, err := c.find(func(f Frame) bool { return f.ID == id })
	if err != nil {
		return nil, false, err
	}
	if f.Event != "history" {
		return nil, false, fmt.Errorf("history: %s", f.Raw)
	}
	return f.Items(), f.More, nil
}

// Items are the messages of a history.
func (f Frame) Items() []Frame {
	var page struct{ Messages []json.RawMessage }
	if json.Unmarshal([]byte(f.Raw), &page) != nil {
		return nil
	}
	items := make([]Frame, len(page.Messages))
	for i, m := range page.Messages {
		items[i] = parse(m)
	}
	return items
}

// find awaits a frame that comes from now on or came before, and passes none.
func (c *Client) find(fits func(Frame) bool) (Frame, error) {
	c.mu.Lock()
	at := c.next
	c.mu.Unlock()
	f, err := c.TryAwait(patience, fits)
	c.mu.Lock()
	c.next = at
	c.mu.Unlock()
	return f, err
}

// View shows a room as a client must: what was pushed, in order and once; where a number is missing
// what follows is held until history has filled the hole. It asks the pong for the head, so that a
// lost last message is found too. It gives what is shown after the number from (exclusive), and how
// many numbers had to be fetched.
func (c *Client) View(room string, from uint64) (shown []Frame, fetched int, err error) {
	id := fmt.Sprintf("view-%d", fetches.Add(1))
	if err := c.TrySend(fmt.Sprintf(`{"action":"ping","id":%q}`, id)); err != nil {
		return nil, 0, err
	}
	pong, err := c.find(func(f Frame) bool { return f.ID == id })
	if err != nil {
		return nil, 0, err
	}
	head, err := headIn(pong, room)
	if err != nil {
		return nil, 0, err
	}
	pushed := map[uint64]Frame{}
	for _, f := range c.All() {
		if f.Event == "message" && strings.EqualFold(f.Room, room) && !f.Duplicate {
			pushed[f.Seq] = f
		}
	}
	for last := from; last < head; last++ {
		if _, ok := pushed[last+1]; !ok {
			missing, err := c.Fetch(room, last)
			if err != nil {
				return nil, 0, err
			}
			for _, f := range missing {
				if _, ok := pushed[f.Seq]; !ok {
					pushed[f.Seq] = f
					fetched++
				}
			}
		}
		f, ok := pushed[last+1]
		if !ok {
			return nil, 0, fmt.Errorf("%s: number %d of %s is nowhere, the head is %d",
				c.User, last+1, room, head)
		}
		shown = append(shown, f)
	}
	return shown, fetched, nil
}

// headIn gives the head of a room as a pong has it.
func headIn(pong Frame, room string) (uint64, error) {
	var heads struct {
		Rooms []struct {
			Room string
			Seq  uint64
		}
	}
	if err := json.Unmarshal([]byte(pong.Raw), &heads); err != nil {
		return 0, err
	}
	for _, h := range heads.Rooms {
		if strings.EqualFold(h.Room, room) {
			return h.Seq, nil
		}
	}
	return 0, fmt.Errorf("the pong has no room %s: %s", room, pong.Raw)
}
