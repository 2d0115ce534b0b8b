package sqlitestore

import (
	"time"
	"unicode/utf8"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// building is the rows of one Build.
type building struct {
	c        *conn
	tally    tally
	rooms    map[string]*builtRoom
	order    []*builtRoom
	users    map[string]bool // names
	accounts map[string]bool // ids
	pos      int64           // of the last message
	recent   int64           // ids used after that are remembered, in milliseconds since 1970
}

// builtRoom is a room whose messages are being written.
type builtRoom struct {
	n      int64
	head   chat.Head
	next   uint64  // the number expected
	places []int64 // of the last messages, which have no row yet
}

func newBuilding(c *conn) *building {
	return &building{
		c: c, tally: tally{}, rooms: map[string]*builtRoom{},
		users: map[string]bool{}, accounts: map[string]bool{},
		recent: time.Now().Add(-chat.DedupWindow).UnixMilli(),
	}
}

// put writes a record.
func (b *building) put(record Record) error {
	switch v := record.(type) {
	case chat.Head:
		return b.room(v)
	case chat.User:
		b.users[v.Name] = true
		u := userRow{name: v.Name, folded: chat.Fold(v.Name), since: v.Since.UnixMilli()}
		return b.row(inUsers, "name", u.crc(), "INSERT OR IGNORE INTO users VALUES (?, ?, ?, ?)",
			u.name, u.folded, u.since, u.crc())
	case Display:
		d := displayRow{v.User, v.Display}
		if !b.users[d.user] {
			return chat.BadField("user", "user: %q was not there before", d.user)
		}
		return b.row(inDisplays, "user", d.crc(), "INSERT OR IGNORE INTO displays VALUES (?, ?, ?)",
			d.user, d.display, d.crc())
	case chat.Member:
		return b.member(v)
	case ReadMarker:
		return b.read(v)
	case auth.Account:
		return b.account(v)
	case auth.Session:
		return b.session(v)
	case auth.Entry:
		e := entryRow{v}
		return b.row(inAudit, "id", e.crc(), "INSERT OR IGNORE INTO audit VALUES (?, ?, ?, ?, ?, ?)",
			e.ID, e.At.UnixMilli(), e.Actor, e.Action, e.Object, e.crc())
	case chat.Message:
		return b.message(&v)
	}
	return chat.E(chat.Invalid, "%T is no record", record)
}

// row writes a row that must not be there yet: field is what would be there twice.
func (b *building) row(table, field string, crc int64, insert string, args ...any) error {
	changed, err := b.c.exec(insert, args...)
	if err != nil {
		return err
	}
	if changed != 1 {
		return chat.BadField(field, "%s: it is there already", field)
	}
	b.tally.add(table, 0, crc)
	return nil
}

// known gives the room that a record is about.
func (b *building) known(room string) (*builtRoom, error) {
	if r := b.rooms[room]; r != nil {
		return r, nil
	}
	return nil, chat.BadField("room", "room: %q was not there before", room)
}

func (b *building) room(h chat.Head) error {
	id, err := chat.RoomID(h.Room)
	_, _, direct := chat.DirectUsers(h.Room)
	switch {
	case err != nil || id != h.Room,
		!direct && chat.Fold(h.Name) != h.Room, direct && h.Name != h.Room:
		return chat.BadField("room", "room: %q is not the id of a room named %q", h.Room, h.Name)
	case direct != (h.Kind == chat.DirectRoom), (h.Room == chat.Lobby) != (h.Kind == chat.LobbyRoom),
		h.Kind < chat.LobbyRoom || h.Kind > chat.DirectRoom:
		return chat.BadField("kind", "kind: the room %q cannot be of this kind", h.Room)
	case h.Epoch == "":
		return chat.BadField("epoch", "epoch: want a text")
	case h.Cut > h.Seq:
		return chat.BadField("cut", "cut: %d is beyond the last number %d", h.Cut, h.Seq)
	case b.rooms[h.Room] != nil:
		return chat.BadField("room", "room: %q is there already", h.Room)
	case len(b.order) == 0 && h.Room != chat.Lobby:
		return chat.BadField("room", "room: the first room is the lobby")
	}
	if err := chat.CheckKeep(h.Keep); err != nil {
		return chat.BadField("keep", "keep: %v is too short, or no whole second", h.Keep)
	}
	r := &builtRoom{n: int64(len(b.order) + 1), head: h, next: h.Cut + 1}
	row := roomRow{n: r.n, head: h}
	if err := insertRoom(b.c, &row); err != nil {
		return err
	}
	b.tally.add(inRooms, 0, row.crc())
	b.rooms[h.Room], b.order = r, append(b.order, r)
	if h.Keep == 0 && h.Cut == 0 {
		return nil
	}
	kept := keptRow{h.Room, keptSeconds(h.Keep), h.Cut}
	return b.row(inKept, "room", kept.crc(), "INSERT OR IGNORE INTO kept VALUES (?, ?, ?, ?)",
		kept.room, kept.seconds, int64(kept.cut), kept.crc())
}

func (b *building) member(m chat.Member) error {
	r, err := b.known(m.Room)
	switch {
	case err != nil:
		return err
	case r.head.Kind == chat.LobbyRoom:
		return chat.BadField("room", "room: the lobby has no members, everyone is in it")
	case m.State < chat.Joined || m.State > chat.Left:
		return chat.BadField("state", "state: want joined, invited or left")
	case m.Gen > r.head.Gen:
		return chat.BadField("gen", "gen: %d is beyond the room's %d", m.Gen, r.head.Gen)
	}
	row := memberRow{room: m.Room, user: m.User, state: m.State, invitedBy: m.InvitedBy, gen: m.Gen}
	return b.row(inMembers, "user", row.crc(),
		"INSERT OR IGNORE INTO members VALUES (?, ?, ?, ?, ?, ?)",
		row.room, row.user, int64(row.state), row.invitedBy, int64(row.gen), row.crc())
}

func (b *building) read(m ReadMarker) error {
	r, err := b.known(m.Room)
	if err != nil {
		return err
	}
	if m.Seq > r.head.Seq {
		return chat.BadField("seq", "seq: %d is beyond the room's last number %d", m.Seq, r.head.Seq)
	}
	row := readRow{user: m.User, room: m.Room, seq: m.Seq}
	return b.row(inReads, "user", row.crc(), "INSERT OR IGNORE INTO reads VALUES (?, ?, ?, ?)",
		row.user, row.room, int64(row.seq), row.crc())
}

func (b *building) account(v auth.Account) error {
	a := accountRow{Account: v, key: auth.HandleKey(v.Handle)}
	b.accounts[a.ID] = true
	return b.row(inAccounts, "handle", a.crc(),
		"INSERT OR IGNORE INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID, a.Handle, a.key, a.Subject, flag(a.Owner), flag(a.Disabled), a.Since.UnixMilli(), a.crc())
}

func (b *building) session(v auth.Session) error {
	if !b.accounts[v.Account] {
		return chat.BadField("account", "account: %q was not there before", v.Account)
	}
	n := sessionRow{v}
	return b.row(inSessions, "hash", n.crc(),
		"INSERT OR IGNORE INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
		n.Hash.String(), n.Account, n.Device,
		n.Made.UnixMilli(), n.Used.UnixMilli(), n.Until.UnixMilli(), n.crc())
}

func (b *building) message(m *chat.Message) error {
	r, err := b.known(m.Room)
	if err != nil {
		return err
	}
	if err := checkMessage(m); err != nil {
		return err
	}
	if m.Seq != r.next || m.Seq > r.head.Seq {
		return chat.BadField("seq", "seq: %d, and the next of the room %q is %d of %d",
			m.Seq, m.Room, r.next, r.head.Seq)
	}
	r.next++
	b.pos++
	crc := messageCRC(nil, m, m.Text)
	_, err = b.c.exec("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		b.pos, r.n, int64(m.Seq), int64(m.State), m.ID, m.From, m.At.UnixMilli(), m.Text, crc)
	if err != nil {
		return err
	}
	b.tally.add(inLog, 0, crc)
	if err := b.remember(m); err != nil {
		return err
	}
	if r.places = append(r.places, b.pos); len(r.places) == maxPlaces {
		return b.flushPlaces(r)
	}
	return nil
}

// checkMessage tells whether a message may be in a log.
func checkMessage(m *chat.Message) error {
	switch {
	case m.State == chat.Void:
		return nil
	case len(m.ID) == 0 || len(m.ID) > chat.MaxID || !utf8.ValidString(m.ID):
		return chat.BadField("id", "id: want 1 to %d bytes of UTF-8", chat.MaxID)
	case m.From == "" || !utf8.ValidString(m.From):
		return chat.BadField("from", "from: want a user")
	case m.State == chat.Deleted:
		return nil
	case m.Text == "" || len(m.Text) > chat.MaxText || !utf8.ValidString(m.Text):
		return chat.BadField("text", "text: want 1 to %d bytes of UTF-8", chat.MaxText)
	}
	return nil
}

// remember keeps a message's id for as long as a repetition may come. Of a deleted text nothing is
// known to compare: a repetition is refused as another text.
func (b *building) remember(m *chat.Message) error {
	at := m.At.UnixMilli()
	if m.State == chat.Void || at <= b.recent {
		return nil
	}
	const insert = "INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?)"
	for key := sentKey(m.Room, m.From, m.ID); ; key++ {
		s := sentRow{key: key, usedID: usedID{pos: b.pos, at: at}}
		crc := s.crc(nil)
		changed, err := b.c.exec(insert, key, s.pos, s.at, s.hash, crc)
		if err != nil {
			return err
		}
		if changed == 1 {
			b.tally.add(inSent, 0, crc)
			return nil
		}
	}
}

// flushPlaces writes where the last messages of a room are.
func (b *building) flushPlaces(r *builtRoom) error {
	if len(r.places) == 0 {
		return nil
	}
	p := placesRow{room: r.n, first: r.next - uint64(len(r.places)), pos: encodePlaces(r.places)}
	r.places = r.places[:0]
	crc := p.crc()
	_, err := b.c.exec("INSERT INTO places VALUES (?, ?, ?, ?)", p.room, int64(p.first), p.pos, crc)
	if err == nil {
		b.tally.add(inPlaces, 0, crc)
	}
	return err
}
