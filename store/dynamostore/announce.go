package dynamostore

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Announce implements chat.Connections. Of what is announced s is 1 when the user is here, and cl is
// whose news that was: a repetition of a request whose answer was lost is told the same.
func (s *Store) Announce(
	ctx context.Context, user string, here bool, now time.Time,
) (news bool, err error) {
	err = s.do(ctx, "announce", func(ctx context.Context, o *op) error {
		end := expiry(now.Add(chat.SubscriptionTTL))
		state, when := 0, "s = :other AND x > :sec OR cl = :me"
		if here {
			state, when = 1, "attribute_not_exists(s) OR s = :other OR x <= :sec OR cl = :me"
		}
		_, done, err := o.update(ctx, announcedKey(user), change{
			update: "SET s = :state, cl = :me, x = :end", when: when,
			values: item{
				":state": num(state), ":other": num(1 - state), ":me": str(rand.Text()),
				":sec": num(now.Unix()), ":end": end,
			},
		})
		if err != nil || done || !here {
			news = done
			return err
		}
		_, _, err = o.update(ctx, announcedKey(user), change{ // for as long as the last one who came lives
			update: "SET x = :end", when: "s = :here", values: item{":end": end, ":here": num(1)},
		})
		return err
	})
	return news, err
}
