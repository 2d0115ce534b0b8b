//go:build !race

package sim_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
)

// then is what a log calls with a message that it has numbered.
type then = func(chat.Head, chat.Message)

// early acknowledges a message when it has a number, and stores it later: a crash loses it.
type early struct {
	chat.Log
	mu   sync.Mutex
	next map[string]chat.Head
}

func plantEarly(log chat.Log) chat.Log { return &early{Log: log, next: map[string]chat.Head{}} }

func (e *early) Append(ctx context.Context, d chat.Draft, tell then) (chat.Message, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	head, ok := e.next[d.Room]
	if !ok {
		m, h, err := e.Log.Member(ctx, d.Room, d.From)
		if err != nil || m.State != chat.Joined {
			return chat.Message{}, chat.E(chat.NotFound, "no room")
		}
		head = h
	}
	head.Seq++
	e.next[d.Room] = head
	m := chat.Message{Room: d.Room, Seq: head.Seq, ID: d.ID, From: d.From, Text: d.Text, At: d.At}
	tell(head, m)
	go func() {
		time.Sleep(100 * time.Millisecond) // the batch is written later; the store may be closed by then
		_, _ = e.Log.Append(context.Background(), d, func(chat.Head, chat.Message) {})
	}()
	return m, nil
}

// forgetful knows no message again: each is stored under an id of its own.
type forgetful struct {
	chat.Log
	mu sync.Mutex
	n  int
}

func plantForgetful(log chat.Log) chat.Log { return &forgetful{Log: log} }

func (f *forgetful) Append(ctx context.Context, d chat.Draft, tell then) (chat.Message, error) {
	f.mu.Lock()
	f.n++
	d.ID += fmt.Sprintf("#%d.%d", f.n, time.Now().UnixNano())
	f.mu.Unlock()
	m, err := f.Log.Append(ctx, d, func(h chat.Head, m chat.Message) { tell(h, known(m)) })
	return known(m), err
}

func (f *forgetful) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	p, err := f.Log.Messages(ctx, room, r)
	for i, m := range p.Messages {
		p.Messages[i] = known(m)
	}
	return p, err
}

func known(m chat.Message) chat.Message {
	m.ID, _, _ = strings.Cut(m.ID, "#")
	return m
}

// tardy stores some messages a little after their number is given, as a shared store does. Its
// reader ends a page before such a hole, as it must, or skips the hole.
type tardy struct {
	chat.Log
	skip bool
	mu   sync.Mutex
	open map[string]bool // by sender and id
}

func plantTardy(skip bool) func(chat.Log) chat.Log {
	return func(log chat.Log) chat.Log { return &tardy{Log: log, skip: skip, open: map[string]bool{}} }
}

func (y *tardy) set(from, id string, open bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if open {
		y.open[from+" "+id] = true
	} else {
		delete(y.open, from+" "+id)
	}
}

func (y *tardy) Append(ctx context.Context, d chat.Draft, tell then) (chat.Message, error) {
	y.set(d.From, d.ID, true)
	late := func() {}
	m, err := y.Log.Append(ctx, d, func(h chat.Head, m chat.Message) { late = func() { tell(h, m) } })
	if m.Seq%4 == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	y.set(d.From, d.ID, false)
	late()
	return m, err
}

func (y *tardy) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	p, err := y.Log.Messages(ctx, room, r)
	y.mu.Lock()
	defer y.mu.Unlock()
	missing := func(m chat.Message) bool { return y.open[m.From+" "+m.ID] }
	if y.skip {
		p.Messages = slices.DeleteFunc(p.Messages, missing)
	} else if at := slices.IndexFunc(p.Messages, missing); at >= 0 {
		p.Messages, p.More = p.Messages[:at], true
	}
	return p, err
}

// skipping begins a page after a number one too late.
type skipping struct{ chat.Log }

func plantSkipping(inner chat.Log) chat.Log { return skipping{inner} }

func (s skipping) Messages(ctx context.Context, room string, r chat.Range) (chat.Page, error) {
	if r.Before == 0 {
		r.After++
	}
	return s.Log.Messages(ctx, room, r)
}

// sameEpoch gives every room the same epoch, before and after a restore.
type sameEpoch struct{ chat.Log }

func plantSameEpoch(inner chat.Log) chat.Log { return sameEpoch{inner} }

func (s sameEpoch) Member(ctx context.Context, room, user string) (chat.Member, chat.Head, error) {
	m, h, err := s.Log.Member(ctx, room, user)
	h.Epoch = "same"
	return m, h, err
}

func (s sameEpoch) Join(ctx context.Context, j chat.Join) (chat.Member, chat.Head, error) {
	m, h, err := s.Log.Join(ctx, j)
	h.Epoch = "same"
	return m, h, err
}

func (s sameEpoch) Heads(ctx context.Context, rooms []string) ([]chat.Head, error) {
	heads, err := s.Log.Heads(ctx, rooms)
	for i := range heads {
		heads[i].Epoch = "same"
	}
	return heads, err
}

// unchecked forgets at fan-out who has left.
type unchecked struct{ chat.Log }

func plantUnchecked(inner chat.Log) chat.Log { return unchecked{inner} }

func (u unchecked) Append(ctx context.Context, d chat.Draft, tell then) (chat.Message, error) {
	return u.Log.Append(ctx, d, func(h chat.Head, m chat.Message) {
		h.Removed = nil
		tell(h, m)
	})
}

// subscribed never ends a subscription, as one that comes late does not yet.
type subscribed struct{ chat.Connections }

func plantSubscribed(inner chat.Connections) chat.Connections { return subscribed{inner} }

func (subscribed) Unsubscribe(context.Context, string, string) error { return nil }

// everywhere gives the receivers of the lobby for every room.
type everywhere struct{ chat.Connections }

func plantEverywhere(inner chat.Connections) chat.Connections { return everywhere{inner} }

func (e everywhere) Receivers(ctx context.Context, _ chat.Head) iter.Seq2[chat.Receiver, error] {
	return e.Connections.Receivers(ctx, chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom})
}

// counting tells presence by a counter of opens and closes.
type counting struct {
	chat.Connections
	users map[string]string // by connection
	count map[string]int    // by user
}

func plantCounting(conns chat.Connections) chat.Connections {
	return &counting{conns, map[string]string{}, map[string]int{}}
}

func (c *counting) Open(ctx context.Context, row chat.Connection, members []chat.Member) error {
	err := c.Connections.Open(ctx, row, members)
	if err == nil {
		c.users[row.ID] = row.User
		c.count[row.User]++
	}
	return err
}

func (c *counting) Close(ctx context.Context, id string) (chat.Connection, error) {
	c.count[c.users[id]]--
	return c.Connections.Close(ctx, id)
}

func (c *counting) Online(context.Context, string, int) (users []string, more bool, err error) {
	for user, n := range c.count {
		if n > 0 {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users, false, nil
}

// reviving opens a connection that is closed.
type reviving struct{ chat.Connections }

func plantReviving(inner chat.Connections) chat.Connections { return reviving{inner} }

func (r reviving) Open(ctx context.Context, row chat.Connection, members []chat.Member) error {
	err := r.Connections.Open(ctx, row, members)
	if chat.Is(err, chat.Taken) {
		row.ID += "again"
		return r.Connections.Open(ctx, row, members)
	}
	return err
}

// mistaken closes the user's oldest connection instead of the one that is meant.
type mistaken struct{ chat.Connections }

func plantMistaken(inner chat.Connections) chat.Connections { return mistaken{inner} }

func (m mistaken) Close(ctx context.Context, id string) (chat.Connection, error) {
	if c, err := m.Connections.Get(ctx, id); err == nil {
		if all, err := m.Connections.OfUser(ctx, c.User); err == nil {
			id = all[0].ID
		}
	}
	return m.Connections.Close(ctx, id)
}

// confused takes the sender for the one who is gone, as a well-known sample does.
type confused struct{ chatapi.Poster }

func plantConfused(inner chatapi.Poster) chatapi.Poster { return confused{inner} }

func (c confused) Post(ctx context.Context, to []connections.Target, frames [][]byte) (
	gone, unsent []connections.Target, err error,
) {
	gone, unsent, err = c.Poster.Post(ctx, to, frames)
	if len(gone) > 0 {
		gone = to[:1]
	}
	return gone, unsent, err
}

// mute does not tell a reader that frames were dropped.
type mute struct{ chatapi.Poster }

func plantMute(inner chatapi.Poster) chatapi.Poster { return mute{inner} }

func (m mute) Send(ctx context.Context, to connections.Target, frames [][]byte) error {
	if len(frames) > 0 && bytes.HasPrefix(frames[0], []byte(`{"event":"resync"`)) {
		return nil
	}
	return m.Poster.Send(ctx, to, frames)
}
