package chat

import (
	"context"
	"unicode/utf8"
)

// Send is a message as a client asks for it.
type Send struct {
	Room string // as the client names it; "" is the lobby
	To   string // a user instead of a room
	ID   string
	Text string
}

// Send stores a message and gives it with its number. then is called as Log.Append says: it tells
// the others. A repetition comes back with Duplicate set and tells nobody.
func (s *Service) Send(
	ctx context.Context, c Connection, m Send, then func(Head, Message),
) (Message, error) {
	if err := CheckText("message", m.Text); err != nil {
		return Message{}, err
	}
	if len(m.ID) == 0 || len(m.ID) > MaxID {
		return Message{}, BadField("id", "id: want 1 to %d bytes", MaxID)
	}
	d := Draft{From: c.User, ID: m.ID, Text: m.Text, At: s.now()}
	if m.To != "" {
		return s.sendTo(ctx, d, m.To, then)
	}
	room, err := RoomID(m.Room)
	if err != nil {
		return Message{}, err
	}
	if room == Lobby && s.LobbyOff {
		return Message{}, E(Forbidden, "the lobby is off on this server: join a room and say it there")
	}
	d.Room = room
	stored, err := s.log.Append(ctx, d, then)
	return stored, explainSend(err, m.Room)
}

// sendTo sends a direct message. The room of two users is made by its first message.
func (s *Service) sendTo(
	ctx context.Context, d Draft, to string, then func(Head, Message),
) (Message, error) {
	u, err := s.find(ctx, "to", to)
	if err != nil {
		return Message{}, err
	}
	d.Room = DirectID(d.From, u.Name)
	stored, err := s.log.Append(ctx, d, then)
	if Is(err, NotFound) {
		if err = s.makeDirect(ctx, u.Name, d.From); err == nil {
			stored, err = s.log.Append(ctx, d, then)
		}
	} else if err == nil && stored.Seq == 1 { // perhaps an attempt before made only half of it
		err = s.makeDirect(ctx, u.Name, d.From)
	}
	return stored, explainSend(err, d.Room)
}

// makeDirect makes the rows of a direct room's two users. The sender's comes last: an attempt that
// dies before it is begun again by the next one.
func (s *Service) makeDirect(ctx context.Context, recipient, sender string) error {
	room := DirectID(recipient, sender)
	for _, user := range []string{recipient, sender} {
		join := Join{Room: room, Name: room, User: user, Kind: DirectRoom}
		if _, _, err := s.log.Join(ctx, join); err != nil {
			return err
		}
	}
	return nil
}

// explainSend gives the store's refusals the words that every other use case has for them.
func explainSend(err error, room string) error {
	switch {
	case Is(err, NotFound):
		return noRoom(room)
	case Is(err, NotMember):
		return E(NotMember, "you have left the room %s", room)
	case Is(err, IDReused):
		return E(IDReused, "this id was used for another text within 24 h")
	}
	return err
}

// CheckText tells whether a text may be a message: 1 to MaxText bytes of valid UTF-8 without
// control characters but newline and tab.
func CheckText(field, text string) error {
	switch {
	case text == "":
		return BadField(field, "%s: want 1 to %d bytes of text", field, MaxText)
	case len(text) > MaxText:
		e := E(TooLarge, "%s: %d bytes, the limit is %d", field, len(text), MaxText)
		e.Field = field
		return e
	case !utf8.ValidString(text):
		return BadField(field, "%s: not valid UTF-8", field)
	}
	for _, r := range text {
		if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return BadField(field, "%s: control character U+%04X; only newline and tab may be there", field, r)
		}
	}
	return nil
}

// Delete takes the text of a message away: by its author, or by the room's owner.
func (s *Service) Delete(
	ctx context.Context, c Connection, room string, seq uint64,
) (Head, Message, error) {
	head, err := s.member(ctx, room, c.User)
	if err != nil {
		return Head{}, Message{}, err
	}
	author := c.User
	if head.Owner == c.User {
		author = ""
	}
	m, err := s.log.Delete(ctx, head.Room, seq, author)
	switch {
	case Is(err, NotFound):
		err = E(NotFound, "no message %d in this room", seq)
	case Is(err, Forbidden):
		err = E(Forbidden, "message %d is somebody else's", seq)
	}
	return head, m, err
}
