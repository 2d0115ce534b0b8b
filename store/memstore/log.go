package memstore

import (
	"context"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Log is a chat.Log in memory.
type Log struct {
	now      func() time.Time
	newEpoch func() string

	mu       sync.RWMutex // guards what follows, and every room
	rooms    map[string]*room
	ofUser   map[string]map[string]*room // rooms where a user is joined or invited
	users    map[string]chat.User        // by folded name
	displays map[string]string           // by user
	read     map[place]uint64            // read markers
	sent     map[sentID]sent
	sending  []sentID // keys of sent, the oldest first
}

var _ chat.Log = (*Log)(nil)

// room is a room's log and members.
type room struct {
	// order is held by an Append from before its number is given until then has returned, so that
	// the calls come in the order of the numbers. It is taken before Log.mu.
	order sync.Mutex

	head     chat.Head
	messages []chat.Message // number n at n-1-head.Cut
	members  map[string]chat.Member
	removed  map[string]time.Time // when the users of head.Removed left
}

type place struct{ user, room string }

type sentID struct{ room, from, id string }

// sent is what a repetition is compared with.
type sent struct {
	seq  uint64
	text [sha256.Size]byte // a tombstone's text must not stay
	at   time.Time
}

// NewLog makes a log that holds the lobby alone.
func NewLog(o Options) *Log {
	o = o.filled()
	l := &Log{
		now: o.Now, newEpoch: o.NewEpoch,
		rooms: map[string]*room{}, ofUser: map[string]map[string]*room{}, users: map[string]chat.User{},
		displays: map[string]string{},
		read:     map[place]uint64{}, sent: map[sentID]sent{},
	}
	l.add(chat.Head{Room: chat.Lobby, Name: chat.Lobby, Kind: chat.LobbyRoom})
	return l
}

func (l *Log) add(h chat.Head) *room {
	h.Epoch = l.newEpoch()
	r := &room{head: h, members: map[string]chat.Member{}, removed: map[string]time.Time{}}
	l.rooms[h.Room] = r
	return r
}

// find gives a room; the caller holds mu.
func (l *Log) find(op, id string) (*room, error) {
	if r := l.rooms[id]; r != nil {
		return r, nil
	}
	return nil, fail(op, chat.NotFound, "no room %s", id)
}

// Append stores a message, see chat.Log. A slow then holds up later Appends to its room alone.
func (l *Log) Append(
	_ context.Context, d chat.Draft, then func(chat.Head, chat.Message),
) (chat.Message, error) {
	l.mu.RLock()
	r, err := l.find("append", d.Room)
	l.mu.RUnlock()
	if err != nil {
		return chat.Message{}, err
	}
	r.order.Lock()
	defer r.order.Unlock()
	h, m, err := l.append(r, d)
	if err == nil && !m.Duplicate {
		then(h, m)
	}
	return m, err
}

func (l *Log) append(r *room, d chat.Draft) (chat.Head, chat.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := r.mayAppend(d.From); err != nil {
		return chat.Head{}, chat.Message{}, err
	}
	now := l.now()
	l.forget(now)
	id, text := sentID{d.Room, d.From, d.ID}, sha256.Sum256([]byte(d.Text))
	if first, found := l.sent[id]; found && first.seq > r.head.Cut {
		if first.text != text {
			return chat.Head{}, chat.Message{}, fail("append", chat.IDReused, "the id %s has another text", d.ID)
		}
		m := r.messages[first.seq-1-r.head.Cut]
		m.Duplicate = true
		return chat.Head{}, m, nil
	}
	r.head.Seq++
	m := chat.Message{
		Room: d.Room, Seq: r.head.Seq, ID: d.ID, From: d.From, Text: d.Text,
		At: d.At.UTC().Truncate(time.Millisecond),
	}
	r.messages = append(r.messages, m)
	l.sent[id] = sent{m.Seq, text, now}
	l.sending = append(l.sending, id)
	return r.head, m, nil
}

func (r *room) mayAppend(user string) error {
	if r.head.Kind == chat.LobbyRoom {
		return nil
	}
	switch r.members[user].State {
	case chat.Joined:
		return nil
	case chat.Left:
		return fail("append", chat.NotMember, "%s has left %s", user, r.head.Room)
	}
	return fail("append", chat.NotFound, "%s is no member of %s", user, r.head.Room)
}

// forget drops the ids that are older than the window.
func (l *Log) forget(now time.Time) {
	for len(l.sending) > 0 && now.Sub(l.sent[l.sending[0]].at) >= chat.DedupWindow {
		delete(l.sent, l.sending[0])
		l.sending = l.sending[1:]
	}
}

// Messages reads a page, see chat.Log.
func (l *Log) Messages(_ context.Context, id string, want chat.Range) (chat.Page, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r, err := l.find("messages", id)
	if err != nil {
		return chat.Page{}, err
	}
	p := chat.Page{Head: r.head}
	cut := r.head.Cut
	if want.Before == 0 {
		rest := r.messages[max(min(want.After, r.head.Seq), cut)-cut:]
		n := fitting(len(rest), want.Limit, func(i int) *chat.Message { return &rest[i] })
		p.Messages, p.More = slices.Clone(rest[:n]), n < len(rest)
		return p, nil
	}
	rest := r.messages[:max(min(want.Before-1, r.head.Seq), cut)-cut]
	last := len(rest) - 1
	n := fitting(len(rest), want.Limit, func(i int) *chat.Message { return &rest[last-i] })
	p.Messages, p.More = slices.Clone(rest[len(rest)-n:]), n < len(rest)
	return p, nil
}

// fitting tells how many of the n messages that at gives make a page.
func fitting(n, limit int, at func(int) *chat.Message) int {
	size := 0
	for i := range min(n, limit) {
		size += at(i).JSONSize()
		if size > chat.MaxPageBytes && i > 0 {
			return i
		}
	}
	return min(n, limit)
}

// Delete leaves a tombstone, see chat.Log.
func (l *Log) Delete(_ context.Context, id string, seq uint64, author string) (chat.Message, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find("delete", id)
	if err != nil {
		return chat.Message{}, err
	}
	if seq <= r.head.Cut || seq > r.head.Seq {
		return chat.Message{}, fail("delete", chat.NotFound, "no message %d in %s", seq, id)
	}
	m := &r.messages[seq-1-r.head.Cut]
	if author != "" && author != m.From {
		return chat.Message{}, fail("delete", chat.Forbidden, "message %d is not of %s", seq, author)
	}
	m.State, m.Text = chat.Deleted, ""
	return *m, nil
}

// Heads reads heads, see chat.Log.
func (l *Log) Heads(_ context.Context, rooms []string) ([]chat.Head, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	heads := make([]chat.Head, 0, len(rooms))
	for _, id := range rooms {
		if r := l.rooms[id]; r != nil {
			heads = append(heads, r.head)
		}
	}
	return heads, nil
}

// PublicRooms lists public rooms, see chat.Log.
func (l *Log) PublicRooms(_ context.Context, after string, limit int) ([]chat.RoomName, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var rows []chat.RoomName
	for id, r := range l.rooms {
		if r.head.Kind == chat.PublicRoom && id > after {
			rows = append(rows, chat.RoomName{Room: id, Name: r.head.Name})
		}
	}
	rows, more := firstOf(rows, limit, func(a, b chat.RoomName) int { return strings.Compare(a.Room, b.Room) })
	return rows, more, nil
}

// firstOf sorts rows and gives the first of them.
func firstOf[T any](rows []T, limit int, compare func(a, b T) int) ([]T, bool) {
	slices.SortFunc(rows, compare)
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

// PutUser records a user, see chat.Log.
func (l *Log) PutUser(_ context.Context, u chat.User) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := chat.Fold(u.Name)
	known, found := l.users[key]
	if found && known.Name != u.Name {
		return fail("put user", chat.Taken, "%s is known as %s", u.Name, known.Name)
	}
	if !found {
		u.Since = u.Since.UTC().Truncate(time.Millisecond)
		l.users[key] = u
	}
	return nil
}

// SetDisplay records what a user is shown as, see chat.Log.
func (l *Log) SetDisplay(_ context.Context, user, display string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u, found := l.users[chat.Fold(user)]; !found || u.Name != user {
		return fail("set display", chat.NotFound, "no user %s", user)
	}
	if display == "" {
		delete(l.displays, user)
	} else {
		l.displays[user] = display
	}
	return nil
}

// Displays gives what users are shown as, see chat.Log.
func (l *Log) Displays(_ context.Context, users []string) (map[string]string, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	displays := map[string]string{}
	for _, user := range users {
		if display, found := l.displays[user]; found {
			displays[user] = display
		}
	}
	return displays, nil
}

// User finds a user, see chat.Log.
func (l *Log) User(_ context.Context, name string) (chat.User, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	u, found := l.users[chat.Fold(name)]
	if !found {
		return chat.User{}, fail("user", chat.NotFound, "no user %s", name)
	}
	return u, nil
}

// Users lists users, see chat.Log.
func (l *Log) Users(_ context.Context, after string, limit int) ([]chat.User, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	rows := slices.Collect(maps.Values(l.users))
	rows = slices.DeleteFunc(rows, func(u chat.User) bool { return u.Name <= after })
	rows, more := firstOf(rows, limit, func(a, b chat.User) int { return strings.Compare(a.Name, b.Name) })
	return rows, more, nil
}
