package dynamostore

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// PutTicket implements auth.Sessions.
func (s *Store) PutTicket(ctx context.Context, t auth.Ticket) error {
	return s.do(ctx, "put ticket", func(ctx context.Context, o *op) error {
		it := ticketKey(t.Hash).item()
		it[attrSession] = str(t.Session.String())
		it[attrUntil], it[attrExpiry] = millis(t.Until), expiry(t.Until)
		_, _, err := o.putIfAbsent(ctx, it)
		return err
	})
}

// UseTicket implements auth.Sessions. It is one write, which leaves the name of the call: of a
// request that is made again, because its answer was lost, the first one counts.
func (s *Store) UseTicket(
	ctx context.Context, h auth.Hash, now time.Time,
) (t auth.Ticket, err error) {
	err = s.do(ctx, "use ticket", func(ctx context.Context, o *op) error {
		call := rand.Text()
		it, done, err := o.update(ctx, ticketKey(h), change{
			update: "SET ud = :call",
			when:   exists + " AND attribute_not_exists(ud) AND un > :now",
			values: item{":call": str(call), ":now": millis(now)},
		})
		if err != nil {
			return err
		}
		r := row{it: it}
		if !done && (it == nil || r.str(attrUsed) != call) {
			return chat.E(chat.NotFound, "this ticket is over")
		}
		t = auth.Ticket{Hash: h, Session: r.hash(attrSession), Until: r.time(attrUntil)}
		return r.err(o.Table)
	})
	if err != nil {
		return auth.Ticket{}, err
	}
	return t, nil
}
