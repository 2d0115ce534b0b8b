package chat

import (
	"context"
	"time"
)

// Kept is what a room keeps.
type Kept struct {
	Room string        // id
	Keep time.Duration // as in Head
	Cut  uint64        // as in Head
}

// Retainer is a Log that can let go of old messages. What is gone is in no page and no copy of the
// store; its numbers are not given again, and the room's epoch stays. Errors and repetition are as
// in Log.
type Retainer interface {
	Log

	// Keep sets how long a room keeps its messages: at least MinKeep, 0 for the host's default, or
	// KeepForever. An absent room is NotFound. It removes nothing by itself.
	Keep(ctx context.Context, room string, keep time.Duration) (Head, error)

	// Cut removes the messages up to a number, at most to the head, and gives the head with Cut moved
	// on; it never moves back. What the room said up to there is gone on return. An absent room is
	// NotFound.
	Cut(ctx context.Context, room string, upTo uint64) (Head, error)

	// AllKept lists every room, the lobby and direct ones too, ascending by id, from after
	// (exclusive). It is for the host, never for a client.
	AllKept(ctx context.Context, after string, limit int) (rooms []Kept, more bool, err error)
}

// CheckKeep tells whether a duration may be a room's retention.
func CheckKeep(keep time.Duration) error {
	if keep == 0 || keep == KeepForever || keep >= MinKeep && keep%time.Second == 0 {
		return nil
	}
	return E(Invalid, "retention %v: want at least %v, in whole seconds", keep, MinKeep)
}

// Expire removes from every room what is older than the room keeps, or than the host's default of
// rooms that do not say; 0 as default keeps it. It goes by the messages' times from the first on
// and stops at one that is young enough. It gives how many numbers it took away.
func Expire(
	ctx context.Context, log Retainer, now time.Time, standard time.Duration,
) (removed uint64, err error) {
	after, more := "", true
	for more {
		var rooms []Kept
		if rooms, more, err = log.AllKept(ctx, after, MaxPage); err != nil {
			return removed, err
		}
		more = more && len(rooms) > 0
		for _, room := range rooms {
			after = room.Room
			keep := room.Keep
			if keep == 0 {
				keep = standard
			}
			if keep <= 0 {
				continue
			}
			n, err := expireRoom(ctx, log, room, now.Add(-keep))
			if removed += n; err != nil {
				return removed, err
			}
		}
	}
	return removed, nil
}

// expireRoom removes the first messages of a room that are from before a time.
func expireRoom(
	ctx context.Context, log Retainer, room Kept, before time.Time,
) (removed uint64, err error) {
	limit := 1 // most rooms have nothing to remove
	for {
		page, err := log.Messages(ctx, room.Room, Range{After: room.Cut, Limit: limit})
		if err != nil {
			return removed, err
		}
		upTo := room.Cut
		for i := range page.Messages {
			if !page.Messages[i].At.Before(before) {
				break
			}
			upTo = page.Messages[i].Seq
		}
		if upTo == room.Cut {
			return removed, nil
		}
		head, err := log.Cut(ctx, room.Room, upTo)
		if err != nil {
			return removed, err
		}
		removed += head.Cut - room.Cut
		room.Cut, limit = head.Cut, MaxPage
	}
}
