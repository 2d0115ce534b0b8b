package dynamostore

import (
	"bytes"
	"context"
	"errors"

	"github.com/confab-chat/confab/chat"
)

// Append implements chat.Log.
func (s *Store) Append(
	ctx context.Context, d chat.Draft, then func(chat.Head, chat.Message),
) (chat.Message, error) {
	var stored chat.Message
	var under chat.Head
	err := s.do(ctx, "append", func(ctx context.Context, o *op) error {
		a := &appending{op: o, Draft: d, hash: hashOf(d.Text)}
		a.At = ms(d.At)
		m, err := a.run(ctx)
		for errors.Is(err, errSentGone) {
			m, err = a.run(ctx)
		}
		if err != nil {
			return err
		}
		stored, under = m.Message, a.head.Head
		under.Seq = m.Seq // the head of a helper is a later one
		return nil
	})
	if err != nil {
		return chat.Message{}, err
	}
	if !stored.Duplicate {
		then(under, stored)
	}
	return stored, nil
}

// appending is one Append. The numbers in its comments are the steps of the design.
type appending struct {
	*op
	chat.Draft
	hash []byte
	gen  uint64 // of the sender's membership
	head *head  // as of the last ticket
}

// sent is where the message of a (room, user, id) is to be found.
type sent struct {
	seq  uint64
	hash []byte
}

// errSentGone says that SENT expired between two steps: the Append begins again.
var errSentGone = errors.New("the record of the sent id has expired")

func (a *appending) run(ctx context.Context) (*message, error) {
	earlier, err := a.look(ctx)
	if err != nil {
		return nil, err
	}
	if earlier != nil {
		return a.help(ctx, earlier)
	}
	n, err := a.ticket(ctx)
	if err != nil {
		return nil, err
	}
	other, err := a.claim(ctx, n)
	if err != nil {
		return nil, err
	}
	if other != nil {
		return a.yield(ctx, n, other)
	}
	return a.store(ctx, n, false)
}

// look is step 1: is the sender a member, and was the id sent before?
func (a *appending) look(ctx context.Context) (*sent, error) {
	sentAt, memberAt := sentKey(a.From, a.Room, a.ID), memberKey(a.Room, a.From)
	keys := []key{sentAt}
	if a.Room != chat.Lobby {
		keys = append(keys, memberAt)
	}
	found, err := a.getAll(ctx, keys...)
	if err != nil {
		return nil, err
	}
	if a.Room != chat.Lobby {
		m, err := a.readMember(a.Room, a.From, found[memberAt])
		switch {
		case err != nil:
			return nil, err
		case m == nil || m.State == chat.Invited:
			return nil, chat.E(chat.NotFound, "no room %s that %s is a member of", a.Room, a.From)
		case m.State == chat.Left:
			return nil, a.hasLeft()
		}
		a.gen = m.Gen
	}
	return a.readSent(found[sentAt])
}

func (a *appending) hasLeft() error {
	return chat.E(chat.NotMember, "%s has left the room %s", a.From, a.Room)
}

// readSent reads SENT; nil where there is none, or one that has expired.
func (a *appending) readSent(it item) (*sent, error) {
	r := row{it: it}
	if it == nil || r.expired(a.Now()) {
		return nil, nil
	}
	return &sent{seq: r.uint(attrSeq), hash: r.bin(attrHash)}, r.err(a.Table)
}

// ticket is step 2: it takes the room's next number, unless the sender was removed since step 1.
func (a *appending) ticket(ctx context.Context) (uint64, error) {
	defer func(before bool) { a.wrote = before }(a.wrote) // a number alone stores nothing
	head, err := a.advance(ctx, a.Room)
	if err != nil {
		return 0, err
	}
	a.head = head
	if head.Outdated(a.From, a.gen) {
		if _, err := a.fence(ctx, a.Room, head.Seq); err != nil {
			return 0, err
		}
		return 0, a.hasLeft()
	}
	return head.Seq, nil
}

// claim is step 3: it records the number as that of the id. It gives the record of an attempt that
// was faster, nil if this one's stands.
func (a *appending) claim(ctx context.Context, n uint64) (*sent, error) {
	now := a.Now()
	it := sentKey(a.From, a.Room, a.ID).item()
	it[attrSeq] = num(n)
	it[attrHash] = bin(a.hash)
	it[attrExpiry] = expiry(now.Add(chat.DedupWindow))
	old, stored, err := a.put(ctx, it, change{
		when:   isAbsent + " OR x <= :now",
		values: item{":now": num(now.Unix())},
	})
	if err != nil || stored {
		return nil, err
	}
	return a.standing(old, n)
}

// standing gives the record that refused a write of ours, or nil when it holds our number: then an
// answer was lost and it is our own.
func (a *appending) standing(it item, n uint64) (*sent, error) {
	other, err := a.readSent(it)
	switch {
	case err != nil:
		return nil, err
	case other == nil:
		return &sent{}, nil // expired in this moment: yield finds it gone
	case other.seq == n:
		return nil, nil
	}
	return other, nil
}

// yield gives up a number for the attempt that was faster, and helps that one.
func (a *appending) yield(ctx context.Context, n uint64, other *sent) (*message, error) {
	if _, err := a.fence(ctx, a.Room, n); err != nil {
		return nil, err
	}
	if other.seq == 0 {
		return nil, errSentGone
	}
	return a.help(ctx, other)
}

// help finishes an attempt that has recorded its number, be it done, dead or merely slower.
func (a *appending) help(ctx context.Context, earlier *sent) (*message, error) {
	a.wrote = true // that attempt may have stored the message
	if !bytes.Equal(earlier.hash, a.hash) {
		return nil, chat.E(chat.IDReused, "id %s was used for another text", a.ID)
	}
	if a.head == nil {
		head, err := a.op.head(ctx, a.Room)
		if err != nil {
			return nil, err
		}
		a.head = head
	}
	return a.store(ctx, earlier.seq, true)
}

// store is step 4: it puts the message at the number. A number that a reader has fenced off is
// exchanged for a new one.
func (a *appending) store(ctx context.Context, n uint64, helping bool) (*message, error) {
	for {
		m := &message{at: a.At, Message: chat.Message{
			Room: a.Room, Seq: n, ID: a.ID, From: a.From, Text: a.Text, At: a.At,
		}}
		old, stored, err := a.putIfAbsent(ctx, m.item())
		if err != nil || stored {
			return m, err
		}
		if m, err = a.readMessage(a.Room, old); err != nil {
			return nil, err
		}
		switch {
		case m.State != chat.Void && m.From == a.From && m.ID == a.ID:
			m.Duplicate = helping
			return m, nil
		case m.State != chat.Void:
			return nil, damaged(a.Table, keyOf(old), "it stands at the number of another message")
		}
		fresh, err := a.ticket(ctx)
		if err != nil {
			return nil, err
		}
		other, err := a.move(ctx, n, fresh)
		if err != nil {
			return nil, err
		}
		if other != nil {
			return a.yield(ctx, fresh, other)
		}
		n = fresh
	}
}

// move changes the recorded number from a fenced one to a fresh one. It gives the record of who
// was faster, nil if ours stands.
func (a *appending) move(ctx context.Context, fenced, fresh uint64) (*sent, error) {
	it, done, err := a.update(ctx, sentKey(a.From, a.Room, a.ID), change{
		update: "SET n = :fresh",
		when:   "n = :fenced",
		values: item{":fresh": num(fresh), ":fenced": num(fenced)},
	})
	if err != nil || done {
		return nil, err
	}
	return a.standing(it, fresh)
}
