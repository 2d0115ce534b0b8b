package dynamostore

import (
	"context"

	"github.com/confab-chat/confab/chat"
)

// Delete implements chat.Log.
func (s *Store) Delete(
	ctx context.Context, room string, seq uint64, author string,
) (gone chat.Message, err error) {
	err = s.do(ctx, "delete", func(ctx context.Context, o *op) error {
		it, err := o.get(ctx, messageKey(room, seq))
		if err != nil {
			return err
		}
		if it == nil {
			return noMessage(room, seq)
		}
		m, err := o.readMessage(room, it)
		switch {
		case err != nil:
			return err
		case m.State == chat.Void:
			return noMessage(room, seq)
		case author != "" && author != m.From:
			return chat.E(chat.Forbidden, "message %d of the room %s is somebody else's", seq, room)
		case m.State == chat.Stored:
			m.State, m.hash, m.Text = chat.Deleted, hashOf(m.Text), ""
			_, _, err = o.put(ctx, m.item(), change{}) // nobody else replaces a message
		}
		gone = m.Message
		return err
	})
	if err != nil {
		return chat.Message{}, err
	}
	return gone, nil
}

func noMessage(room string, seq uint64) error {
	return chat.E(chat.NotFound, "no message %d in the room %s", seq, room)
}
