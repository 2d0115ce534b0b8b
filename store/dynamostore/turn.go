package dynamostore

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Turn implements chat.Connections. Of a turn cl is who has it, a until when, and w that somebody
// else wants it.
func (s *Store) Turn(ctx context.Context, user string, now time.Time) (turn string, err error) {
	err = s.do(ctx, "turn", func(ctx context.Context, o *op) error {
		for me := rand.Text(); ; { // again only where the turn has just ended
			_, mine, err := o.update(ctx, turnKey(user), change{
				update: "SET cl = :me, a = :until, x = :end REMOVE w",
				when:   "attribute_not_exists(cl) OR a <= :now OR cl = :me",
				values: turnValues(me, now),
			})
			if err != nil {
				return err
			}
			if mine {
				turn = me
				return nil
			}
			_, told, err := o.update(ctx, turnKey(user), change{
				update: "SET w = :yes", when: "a > :now",
				values: item{":yes": yes(), ":now": millis(now)},
			})
			if err != nil || told {
				return err
			}
		}
	})
	return turn, err
}

// EndTurn implements chat.Connections.
func (s *Store) EndTurn(
	ctx context.Context, user, turn string, now time.Time,
) (again bool, err error) {
	err = s.do(ctx, "end turn", func(ctx context.Context, o *op) error {
		_, ended, err := o.delete(ctx, turnKey(user), change{
			when: "cl = :me AND attribute_not_exists(w)", values: item{":me": str(turn)},
		})
		if err != nil || ended {
			return err
		}
		values := turnValues(turn, now)
		delete(values, ":now")
		_, again, err = o.update(ctx, turnKey(user), change{
			update: "SET a = :until, x = :end REMOVE w", when: "cl = :me", values: values,
		})
		return err
	})
	return again, err
}

func turnValues(holder string, now time.Time) item {
	until := now.Add(chat.TurnMax)
	return item{
		":me": str(holder), ":now": millis(now), ":until": millis(until),
		":end": expiry(until.Add(time.Hour)),
	}
}
