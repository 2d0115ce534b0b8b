package dynamostore

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/confab-chat/confab/chat"
)

// noteTTL is how long a note waits for a sweep. A late one does no harm: who is here is looked up
// when it is told.
const noteTTL = 7 * 24 * time.Hour

// Note implements chat.Connections.
func (s *Store) Note(ctx context.Context, user string, rooms []string) error {
	return s.do(ctx, "note", func(ctx context.Context, o *op) error {
		for _, room := range rooms {
			_, _, err := o.update(ctx, presenceKey(room), change{
				update: "SET x = :end ADD us :user",
				values: item{
					":end":  expiry(o.Now().Add(noteTTL)),
					":user": strs(user),
				},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Noted implements chat.Connections. Each room's notes are forgotten right before they are
// yielded.
func (s *Store) Noted(ctx context.Context) iter.Seq2[chat.RoomUsers, error] {
	return func(yield func(chat.RoomUsers, error) bool) {
		rooms, err := s.notedRooms(ctx)
		if err != nil {
			yield(chat.RoomUsers{}, err)
			return
		}
		for _, room := range rooms {
			noted, err := s.takeNotes(ctx, room)
			if err == nil && len(noted.Users) == 0 {
				continue // another sweep was faster
			}
			if !yield(noted, err) || err != nil {
				return
			}
		}
	}
}

func (s *Store) notedRooms(ctx context.Context) (rooms []string, err error) {
	err = s.do(ctx, "noted", func(ctx context.Context, o *op) error {
		for it, err := range o.query(ctx, prefixed(presencePK, "", ""), querying{}) {
			if err != nil {
				return err
			}
			if r := (row{it: it}); !r.expired(o.Now()) {
				rooms = append(rooms, keyOf(it).sk)
			}
		}
		return nil
	})
	return rooms, err
}

func (s *Store) takeNotes(ctx context.Context, room string) (noted chat.RoomUsers, err error) {
	err = s.do(ctx, "noted", func(ctx context.Context, o *op) error {
		it, _, err := o.delete(ctx, presenceKey(room), change{})
		if err != nil {
			return err
		}
		r := row{it: it}
		noted = chat.RoomUsers{Room: room, Users: r.strs(attrUsers)}
		slices.Sort(noted.Users)
		return r.err(o.Table)
	})
	return noted, err
}
