package serve

import (
	"context"
	"fmt"
	"net/http"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/internal/signin"
)

// remove removes somebody from a room, for an owner, or nil, the operator.
func (s *Server) remove(
	ctx context.Context, by *auth.Account, room, user string,
) (done signin.RemovedMember, err error) {
	done.Room, done.User, err = s.handler.RemoveMember(ctx, nameOf(by), room, user)
	if err == nil {
		err = s.note(ctx, by, "remove from room", done.User+" "+done.Room)
	}
	return done, err
}

// deleteMessage takes the text of a message away, for an owner, or nil, the operator.
func (s *Server) deleteMessage(
	ctx context.Context, by *auth.Account, room string, seq uint64,
) (done signin.DeletedMessage, err error) {
	done.Seq = seq
	done.Room, err = s.handler.DeleteMessage(ctx, nameOf(by), room, seq)
	if err == nil {
		err = s.note(ctx, by, "delete message", fmt.Sprint(done.Room, " ", seq))
	}
	return done, err
}

// nameOf is who has done something, as people are told.
func nameOf(by *auth.Account) string {
	if by == nil {
		return "@" + auth.Operator // nobody can have this name
	}
	return by.Handle
}

// note writes into the audit log; in open mode there is none.
func (s *Server) note(ctx context.Context, by *auth.Account, action, object string) error {
	if s.desk == nil {
		return nil
	}
	return s.desk.Note(ctx, by, action, object)
}

// noteOf is note for what a user has done in a room of their own.
func (s *Server) noteOf(ctx context.Context, user, action, object string) error {
	return s.note(ctx, &auth.Account{Handle: user}, action, object)
}

// removeFor and deleteFor answer the operator, who needs no accounts for it.
func (s *Server) removeFor(w http.ResponseWriter, r *http.Request) {
	a, err := signin.RemoveMember(r, nil, s.remove)
	signin.Reply(w, r, s.config.Logger, a, err)
}

func (s *Server) deleteFor(w http.ResponseWriter, r *http.Request) {
	a, err := signin.DeleteMessage(r, nil, s.deleteMessage)
	signin.Reply(w, r, s.config.Logger, a, err)
}
