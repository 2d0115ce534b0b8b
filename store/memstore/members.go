package memstore

import (
	"context"
	"maps"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// Join admits or invites a user, see chat.Log.
func (l *Log) Join(_ context.Context, j chat.Join) (chat.Member, chat.Head, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rooms[j.Room]
	var err error
	switch {
	case r == nil && (j.By != "" || j.Kind == 0):
		err = fail("join", chat.NotFound, "no room %s", j.Room)
	case r == nil:
		r, err = l.make(j)
	case r.head.Kind == chat.LobbyRoom:
	case j.By != "":
		err = l.invite(r, j)
	default:
		err = l.admit(r, j)
	}
	if err != nil {
		return chat.Member{}, chat.Head{}, err
	}
	m, _ := r.member(j.User)
	return m, r.head, nil
}

// make makes a room with its first member.
func (l *Log) make(j chat.Join) (*room, error) {
	if err := l.mayJoin(j.User, j.Kind); err != nil {
		return nil, err
	}
	h := chat.Head{Room: j.Room, Name: j.Name, Kind: j.Kind, Owner: j.User}
	if j.Kind == chat.DirectRoom {
		h.Owner = ""
	}
	r := l.add(h)
	l.put(r, chat.Member{Room: j.Room, User: j.User, State: chat.Joined})
	return r, nil
}

// mayJoin tells whether a user may be in one more room of the kind.
func (l *Log) mayJoin(user string, kind chat.RoomKind) error {
	if kind == chat.DirectRoom {
		return nil
	}
	joined := 0
	for _, r := range l.ofUser[user] {
		if r.head.Kind != chat.DirectRoom && r.members[user].State == chat.Joined {
			joined++
		}
	}
	if joined >= chat.MaxRooms {
		return fail("join", chat.Limited, "%s is in %d rooms, the limit", user, joined)
	}
	return nil
}

// put records a member and lists the room with the user.
func (l *Log) put(r *room, m chat.Member) {
	r.members[m.User] = m
	if l.ofUser[m.User] == nil {
		l.ofUser[m.User] = map[string]*room{}
	}
	l.ofUser[m.User][m.Room] = r
}

func (l *Log) invite(r *room, j chat.Join) error {
	switch r.members[j.By].State {
	case chat.Joined:
	case chat.Left:
		return fail("invite", chat.NotMember, "%s has left %s", j.By, j.Room)
	default:
		return fail("invite", chat.NotFound, "%s is no member of %s", j.By, j.Room)
	}
	if r.members[j.User].State != chat.Joined {
		l.put(r, chat.Member{Room: j.Room, User: j.User, State: chat.Invited, InvitedBy: j.By})
	}
	return nil
}

func (l *Log) admit(r *room, j chat.Join) error {
	h := &r.head
	state := r.members[j.User].State
	mine := h.Owner == j.User
	if j.Kind == chat.PrivateRoom && !mine {
		return fail("join", chat.Taken, "%s is somebody else's", j.Room)
	}
	if state == chat.Joined {
		return nil
	}
	if h.Kind == chat.PrivateRoom && !mine && state != chat.Invited {
		return fail("join", chat.Taken, "%s is private", j.Room)
	}
	if err := l.mayJoin(j.User, h.Kind); err != nil {
		return err
	}
	l.put(r, chat.Member{Room: j.Room, User: j.User, State: chat.Joined, Gen: h.Gen})
	return nil
}

// Leave ends a membership, see chat.Log.
func (l *Log) Leave(_ context.Context, id, user string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, err := l.find("leave", id)
	if err != nil {
		return err
	}
	m, found := r.members[user]
	if !found {
		return fail("leave", chat.NotFound, "%s is no member of %s", user, id)
	}
	if m.State == chat.Left {
		return nil
	}
	r.members[user] = chat.Member{Room: id, User: user, State: chat.Left}
	delete(l.ofUser[user], id)
	r.remove(user, l)
	return nil
}

// remove tells old receivers from new ones by a new generation. Heads that were given out share
// Removed, so it is copied.
func (r *room) remove(user string, l *Log) {
	now := l.now()
	removed := maps.Clone(r.head.Removed)
	if removed == nil {
		removed = map[string]uint64{}
	}
	maps.DeleteFunc(removed, func(old string, _ uint64) bool {
		over := now.Sub(r.removed[old]) >= chat.SubscriptionTTL
		if over {
			delete(r.removed, old)
		}
		return over
	})
	r.head.Gen++
	removed[user] = r.head.Gen
	r.removed[user] = now
	r.head.Removed = removed
}

// member tells what a user is to the room.
func (r *room) member(user string) (chat.Member, bool) {
	if r.head.Kind == chat.LobbyRoom {
		return chat.Member{Room: r.head.Room, User: user, State: chat.Joined}, true
	}
	m, found := r.members[user]
	return m, found
}

// Member tells what a user is to a room, see chat.Log.
func (l *Log) Member(_ context.Context, id, user string) (chat.Member, chat.Head, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r, err := l.find("member", id)
	if err != nil {
		return chat.Member{}, chat.Head{}, err
	}
	m, found := r.member(user)
	if !found {
		return chat.Member{}, chat.Head{}, fail("member", chat.NotFound, "%s is no member of %s", user, id)
	}
	return m, r.head, nil
}

// Members lists who has joined, see chat.Log.
func (l *Log) Members(_ context.Context, id, after string, limit int) ([]chat.Member, bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r, err := l.find("members", id)
	if err != nil {
		return nil, false, err
	}
	var rows []chat.Member
	for user, m := range r.members {
		if m.State == chat.Joined && user > after {
			rows = append(rows, m)
		}
	}
	rows, more := firstOf(rows, limit, func(a, b chat.Member) int { return strings.Compare(a.User, b.User) })
	return rows, more, nil
}

// RoomsOf lists a user's rooms, see chat.Log.
func (l *Log) RoomsOf(_ context.Context, user string) ([]chat.Member, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	lobby := chat.Member{Room: chat.Lobby, User: user, State: chat.Joined}
	rows := append(make([]chat.Member, 0, len(l.ofUser[user])+1), lobby)
	for _, r := range l.ofUser[user] {
		rows = append(rows, r.members[user])
	}
	for i := range rows {
		rows[i].Read = l.read[place{user, rows[i].Room}]
	}
	rows, _ = firstOf(rows, len(rows), func(a, b chat.Member) int { return strings.Compare(a.Room, b.Room) })
	return rows, nil
}

// MarkRead moves a read marker, see chat.Log.
func (l *Log) MarkRead(_ context.Context, user, id string, seq uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := place{user, id}
	if seq > l.read[key] {
		l.read[key] = seq
	}
	return nil
}
