package signin

import (
	"context"
	"net/http"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// RemovedMember is who is not in a room any more.
type RemovedMember struct {
	Room string `json:"room"`
	User string `json:"user"`
}

// DeletedMessage is a message whose text is gone.
type DeletedMessage struct {
	Room string `json:"room"`
	Seq  uint64 `json:"seq"`
}

// Remover removes somebody from a room, for an owner, or nil, the operator.
type Remover func(
	ctx context.Context, by *auth.Account, room, user string,
) (RemovedMember, error)

// Deleter takes the text of a message away, for an owner, or nil, the operator.
type Deleter func(
	ctx context.Context, by *auth.Account, room string, seq uint64,
) (DeletedMessage, error)

// RemoveMember reads a request for use, which is for owners and the operator.
func RemoveMember(r *http.Request, by *auth.Account, use Remover) (RemovedMember, error) {
	var q RemovedMember
	if err := forOwners(by, r, &q); err != nil {
		return RemovedMember{}, err
	}
	return use(r.Context(), by, q.Room, q.User)
}

// DeleteMessage reads a request for use, which is for owners and the operator.
func DeleteMessage(r *http.Request, by *auth.Account, use Deleter) (DeletedMessage, error) {
	var q DeletedMessage
	if err := forOwners(by, r, &q); err != nil {
		return DeletedMessage{}, err
	}
	return use(r.Context(), by, q.Room, q.Seq)
}

func forOwners(by *auth.Account, r *http.Request, q any) error {
	if by != nil && !by.Owner {
		return chat.E(chat.Forbidden, "only an owner may do that")
	}
	return Read(r, q)
}

func (d *desk) removeMember(v *visit) (answer, error) {
	return RemoveMember(v.Request, v.by(), d.Remove)
}

func (d *desk) deleteMessage(v *visit) (answer, error) {
	return DeleteMessage(v.Request, v.by(), d.Delete)
}
