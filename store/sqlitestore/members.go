package sqlitestore

import (
	"context"
	"maps"

	"github.com/confab-chat/confab/chat"
)

// memberRow is a row of members.
type memberRow struct {
	room, user string
	state      chat.MemberState
	invitedBy  string
	gen        uint64
}

func (m *memberRow) crc() int64 {
	return content(nil).text(m.room).text(m.user).num(uint64(m.state)).text(m.invitedBy).num(m.gen).crc()
}

func (m *memberRow) member() chat.Member {
	return chat.Member{Room: m.room, User: m.user, State: m.state, InvitedBy: m.invitedBy, Gen: m.gen}
}

const memberColumns = "room, user, state, invited_by, gen, crc"

// scanMember reads a row of memberColumns.
func scanMember(r row) (memberRow, error) {
	m := memberRow{
		room: r.text(0), user: r.text(1), state: chat.MemberState(r.int(2)), invitedBy: r.text(3), gen: r.uint(4),
	}
	if m.crc() != r.int(5) {
		return m, damagef("room %q: the member %q fails its CRC", m.room, m.user)
	}
	return m, nil
}

// readMember reads a user's row in a room; its state is 0 if there is none.
func readMember(c *conn, room, user string) (memberRow, error) {
	found, err := c.one("SELECT "+memberColumns+" FROM members WHERE room = ? AND user = ?", room, user)
	if err != nil || found == nil {
		return memberRow{room: room, user: user}, err
	}
	return scanMember(found)
}

// setMember writes a user's row.
func (w *writer) setMember(r *room, before, after memberRow) error {
	crc := after.crc()
	w.changed(after.user)
	_, err := w.conn.exec("INSERT OR REPLACE INTO members VALUES (?, ?, ?, ?, ?, ?)",
		after.room, after.user, int64(after.state), after.invitedBy, int64(after.gen), crc)
	if err != nil {
		return err
	}
	w.tally.add(inMembers, crcOr0(before), crc)
	r.members[after.user] = after
	w.touch(r)
	return nil
}

// crcOr0 is 0 for a row that is not there.
func crcOr0(m memberRow) int64 {
	if m.state == 0 {
		return 0
	}
	return m.crc()
}

// Join admits or invites a user: see chat.Log.
func (s *Store) Join(ctx context.Context, j chat.Join) (chat.Member, chat.Head, error) {
	var m chat.Member
	var h chat.Head
	o := op{run: func(w *writer) error {
		r, found, err := w.join(&j)
		if err == nil {
			m, h = found.member(), r.head
		}
		return err
	}}
	if err := s.write(ctx, "join", &o); err != nil {
		return chat.Member{}, chat.Head{}, err
	}
	return m, h, nil
}

func (w *writer) join(j *chat.Join) (*room, memberRow, error) {
	r, err := w.room(j.Room)
	absent := chat.Is(err, chat.NotFound)
	if absent && j.Kind != 0 && j.By == "" {
		return w.makeRoom(j)
	}
	if err != nil {
		return nil, memberRow{}, err
	}
	if r.head.Kind == chat.LobbyRoom {
		return r, memberRow{room: j.Room, user: j.User, state: chat.Joined}, nil
	}
	before, err := w.member(r, j.User)
	if err != nil {
		return nil, before, err
	}
	if j.By != "" {
		return w.invite(r, before, j.By)
	}
	if j.Kind == chat.PrivateRoom && r.head.Owner != j.User {
		return nil, before, chat.E(chat.Taken, "the room belongs to somebody else")
	}
	if before.state == chat.Joined {
		return r, before, nil
	}
	if r.head.Kind == chat.PrivateRoom && before.state != chat.Invited && r.head.Owner != j.User {
		return nil, before, chat.E(chat.Taken, "the room belongs to somebody else")
	}
	if err := w.mayJoinMore(r.head.Kind, j.User); err != nil {
		return nil, before, err
	}
	return w.admit(r, before)
}

// admit makes a user a member.
func (w *writer) admit(r *room, before memberRow) (*room, memberRow, error) {
	after := memberRow{room: r.head.Room, user: before.user, state: chat.Joined, gen: r.head.Gen}
	return r, after, w.setMember(r, before, after)
}

// invite records an invitation by a member.
func (w *writer) invite(r *room, before memberRow, by string) (*room, memberRow, error) {
	inviter, err := w.member(r, by)
	switch {
	case err != nil:
		return nil, before, err
	case inviter.state == chat.Left:
		return nil, before, chat.E(chat.NotMember, "you have left this room")
	case inviter.state != chat.Joined:
		return nil, before, chat.E(chat.NotFound, "no such room")
	case before.state == chat.Joined, before.state == chat.Invited && before.invitedBy == by:
		return r, before, nil
	}
	after := memberRow{room: r.head.Room, user: before.user, state: chat.Invited, invitedBy: by}
	return r, after, w.setMember(r, before, after)
}

// makeRoom makes a room whose first member is its maker.
func (w *writer) makeRoom(j *chat.Join) (*room, memberRow, error) {
	none := memberRow{room: j.Room, user: j.User}
	if err := w.mayJoinMore(j.Kind, j.User); err != nil {
		return nil, none, err
	}
	head := chat.Head{Room: j.Room, Name: j.Name, Kind: j.Kind, Owner: j.User, Epoch: w.s.newEpoch()}
	if j.Kind == chat.DirectRoom {
		head.Owner = ""
	}
	stored := roomRow{n: w.lastN + 1, head: head}
	if err := insertRoom(w.conn, &stored); err != nil {
		return nil, none, err
	}
	w.lastN++
	w.tally.add(inRooms, 0, stored.crc())
	r := &room{n: stored.n, head: head, members: map[string]memberRow{}, leftAt: map[string]int64{}}
	w.s.cache.put(r)
	w.touch(r)
	return w.admit(r, none)
}

// mayJoinMore tells whether a user may join one more room of a kind.
func (w *writer) mayJoinMore(kind chat.RoomKind, user string) error {
	if kind == chat.DirectRoom || w.s.people.absent(keyRooms, user) {
		return nil
	}
	rooms := 0
	err := w.conn.each("SELECT "+memberColumns+" FROM members WHERE user = ?", func(r row) error {
		m, err := scanMember(r)
		if _, _, direct := chat.DirectUsers(m.room); m.state == chat.Joined && !direct {
			rooms++
		}
		return err
	}, user)
	if err != nil {
		return err
	}
	if rooms >= chat.MaxRooms {
		return chat.E(chat.Limited, "more than %d rooms", chat.MaxRooms)
	}
	return nil
}

// Leave ends a membership or declines an invitation: see chat.Log.
func (s *Store) Leave(ctx context.Context, room, user string) error {
	return s.write(ctx, "leave", &op{run: func(w *writer) error { return w.leave(room, user) }})
}

func (w *writer) leave(name, user string) error {
	r, err := w.room(name)
	if err != nil {
		return err
	}
	before, err := w.member(r, user)
	if err != nil {
		return err
	}
	switch before.state {
	case chat.Left:
		return nil
	case chat.Joined, chat.Invited:
	default:
		return chat.E(chat.NotFound, "no such member")
	}
	if err := w.countLeave(r); err != nil {
		return err
	}
	after := memberRow{room: name, user: user, state: chat.Left}
	if err := w.setMember(r, before, after); err != nil {
		return err
	}
	return w.remove(r, user)
}

// countLeave raises the room's generation.
func (w *writer) countLeave(r *room) error {
	stored := roomRow{n: r.n, head: r.head}
	before := stored.crc()
	stored.head.Gen++
	changed, err := w.conn.exec("UPDATE rooms SET gen = ?, crc = ? WHERE room = ?",
		int64(stored.head.Gen), stored.crc(), r.head.Room)
	if err != nil {
		return err
	}
	if changed != 1 {
		return damagef("the row of room %q is missing", r.head.Room)
	}
	w.tally.add(inRooms, before, stored.crc())
	r.head.Gen = stored.head.Gen
	return nil
}

// remove records who has left, and forgets those whom no subscription can remember any more.
func (w *writer) remove(r *room, user string) error {
	removed := maps.Clone(r.head.Removed) // readers share the old one
	if removed == nil {
		removed = map[string]uint64{}
	}
	oldest := w.since(chat.SubscriptionTTL)
	for other, at := range r.leftAt {
		if at > oldest && other != user {
			continue
		}
		gone := removedRow{room: r.head.Room, user: other, gen: removed[other], at: at}
		if _, err := w.conn.exec("DELETE FROM removed WHERE room = ? AND user = ?", gone.room, other); err != nil {
			return err
		}
		w.tally.add(inRemoved, gone.crc(), 0)
		delete(removed, other)
		delete(r.leftAt, other)
	}
	left := removedRow{room: r.head.Room, user: user, gen: r.head.Gen, at: w.now()}
	_, err := w.conn.exec("INSERT INTO removed VALUES (?, ?, ?, ?, ?)",
		left.room, left.user, int64(left.gen), left.at, left.crc())
	if err != nil {
		return err
	}
	w.tally.add(inRemoved, 0, left.crc())
	removed[user], r.leftAt[user] = left.gen, left.at
	r.head.Removed = removed
	return nil
}
