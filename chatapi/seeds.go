package chatapi

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// reaches tells whether a push is for a connection of a seed dialect. What the dialect does not show
// is not sent besides.
func (p *push) reaches(r *chat.Receiver) bool {
	switch wire.Dialect(r.Dialect) {
	case wire.BroadcastDialect:
		return r.ID != p.origin.ID
	case wire.LoungeDialect:
		if _, _, direct := chat.DirectUsers(p.head.Room); direct {
			return p.isTo(r.User)
		}
		return !r.NamedAt.IsZero()
	}
	return true
}

// isTo tells whether a push is a direct message to the user, and not from it. Who writes to himself
// is its recipient.
func (p *push) isTo(user string) bool {
	m, ok := p.event.(wire.Message)
	_, _, direct := chat.DirectUsers(p.head.Room)
	return ok && direct && (m.From != user || p.head.Room == chat.DirectID(user, user))
}

// telling is pushes on their way to connections of seed dialects.
type telling struct {
	pushes  []push
	all     []chat.Receiver           // connections of seed dialects, those who are posted to or not
	frames  map[wire.Dialect][][]byte // of each push; nil: the dialect does not show it
	groups  []*seedGroup
	byKey   map[string]*seedGroup
	key     []byte
	errands []errand
}

// seedGroup is connections that get the same frames.
type seedGroup struct {
	frames [][]byte
	to     *audience
}

// tellSeeds posts events of one room, in order, to connections of seed dialects. Each event is encoded
// once for a dialect, and connections that get the same of them are posted to at once: the first inline
// of all by the event itself.
func (h *Handler) tellSeeds(
	ctx context.Context, pushes []push, to []chat.Receiver, inline int,
) ([]errand, error) {
	t := telling{
		pushes: pushes, all: to, frames: map[wire.Dialect][][]byte{},
		byKey: map[string]*seedGroup{},
	}
	for i := range to {
		t.add(&to[i])
	}
	var errs []error
	for _, g := range t.groups {
		errs = append(errs, h.post(ctx, g.to, g.frames, inline))
		inline = max(0, inline-len(g.to.targets))
		g.to.release()
	}
	return t.errands, errors.Join(errs...)
}

// add puts a connection into the group of those that get the same.
func (t *telling) add(r *chat.Receiver) {
	dialect := wire.Dialect(r.Dialect)
	if dialect == wire.DirectoryDialect {
		t.addErrand(r.User)
		return
	}
	frames := t.encoded(dialect)
	t.key = append(append(t.key[:0], r.Dialect...), ' ')
	which := len(t.key)
	for i := range t.pushes {
		mark := byte('-')
		if frames[i] != nil && t.pushes[i].reaches(r) {
			mark = '+'
		}
		t.key = append(t.key, mark)
	}
	g := t.byKey[string(t.key)]
	if g == nil {
		g = t.newGroup(frames, t.key[which:])
	}
	if g.to != nil {
		g.to.add(r.ID, r.Endpoint, r.ConnectedAt)
	}
}

// newGroup makes the group of those who get the frames that are marked. Who gets none has no audience.
func (t *telling) newGroup(frames [][]byte, marks []byte) *seedGroup {
	g := &seedGroup{}
	for i, mark := range marks {
		if mark == '+' {
			g.frames = append(g.frames, frames[i])
		}
	}
	t.byKey[string(t.key)] = g
	if len(g.frames) > 0 {
		g.to = newAudience()
		t.groups = append(t.groups, g)
	}
	return g
}

// addErrand notes that a user with a connection of the dialect directory has a direct message.
func (t *telling) addErrand(user string) {
	e := errand{user: user, room: t.pushes[0].head.Room}
	isTo := func(p push) bool { return p.isTo(user) }
	if slices.ContainsFunc(t.pushes, isTo) && !slices.Contains(t.errands, e) {
		t.errands = append(t.errands, e)
	}
}

// encoded gives the pushes as frames of a dialect.
func (t *telling) encoded(d wire.Dialect) [][]byte {
	if frames := t.frames[d]; frames != nil {
		return frames
	}
	frames := make([][]byte, len(t.pushes))
	for i := range t.pushes {
		event := t.pushes[i].event
		if _, ok := event.(wire.LoungeMembers); ok {
			event = wire.LoungeMembers{Names: loungeNames(t.all)}
		}
		if frame, said := d.Append(nil, event); said {
			frames[i] = frame
		}
	}
	t.frames[d] = frames
	return frames
}

// sentence is the first part of the instructions: the words of the write-up's own template, and all
// actions.
var sentence = "Use the sendmessage route to send a message; all actions are " +
	strings.Join(wire.ActionNames(), ", ") + ". Your info:"

// instruct answers what no action matches, in the dialect broadcast.
func (h *Handler) instruct(ctx context.Context, r *request) error {
	info, err := h.Poster.Describe(ctx, r.self())
	if errors.Is(err, connections.ErrGone) {
		return h.forget(ctx, r.conn.ID, r.conn.ConnectedAt)
	}
	if err != nil {
		return err
	}
	return h.reply(ctx, r, wire.Instructions{
		Sentence: sentence, ConnectionID: r.conn.ID,
		ConnectedAt: info.ConnectedAt, LastActiveAt: info.LastActiveAt,
		SourceIP: info.SourceIP, UserAgent: info.UserAgent,
	})
}

// unmatched tells whether a frame was refused because it names no action that there is, as API
// Gateway's $default gets it: an object with a fault is another matter.
func unmatched(err error, frame string) bool {
	var refused *wire.Error
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case wire.UnknownAction:
		return true
	case wire.BadField:
		return refused.Field == "action"
	}
	return !strings.HasPrefix(strings.TrimLeft(frame, " \t\r\n"), "{") || !json.Valid([]byte(frame))
}
