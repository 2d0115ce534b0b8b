package chatapi

import (
	"context"
	"errors"
	"strings"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// Operator is who speaks in a direct invocation of the function: whoever may invoke it. It is no name
// that a user can have.
const Operator = "@operator"

// missing is what the write-up of the dialect direct answers to an invocation that lacks a member.
const missing = "Missing message or apigw_endpoint"

const notOwn = "apigw_endpoint is not the endpoint of this deployment"

// Invoke answers a direct invocation of the function with {action, message, apigw_endpoint}: it says
// the message in the lobby. requestID is that of the invocation: one that is delivered again stores
// nothing new. A payload that is refused is answered with 400 and a sentence, any where the lobby is off
// with 403; an error is one of the store, after which the invocation is to be repeated.
func (h *Handler) Invoke(ctx context.Context, requestID string, payload []byte) (Response, error) {
	a, err := wire.DirectDialect.Decode(payload)
	if err == nil {
		err = h.checkInvocation(&a)
	}
	if err == nil {
		err = h.say(ctx, requestID, a.Text)
	}
	var refused *wire.Error
	switch {
	case err == nil:
		return respond(200, `{"status":"Message sent"}`), nil
	case errors.As(err, &refused) && (refused.Field == "message" || refused.Field == "apigw_endpoint"):
		return respond(400, missing+": "+refused.Message), nil
	case errors.As(err, &refused):
		return respond(400, refused.Message), nil
	case chat.Is(err, chat.Invalid), chat.Is(err, chat.TooLarge):
		return respond(400, explain(err)), nil
	case chat.Is(err, chat.Forbidden):
		return respond(403, explain(err)), nil
	}
	return Response{}, err
}

func (h *Handler) checkInvocation(a *wire.Action) error {
	switch {
	case a.Name != wire.SendMessage || a.Alias != "" && a.Alias != wire.SendMessageLower:
		return chat.BadField("action", "action: an invocation can ask for sendmessage or sendMessage only")
	case a.Room != "":
		return chat.BadField("room", "room: an invocation speaks in the lobby")
	case a.To != "":
		return chat.BadField("to", "to: an invocation speaks in the lobby")
	case a.Endpoint == "":
		return chat.BadField("apigw_endpoint", missing)
	case !h.isOwn(a.Endpoint, ""):
		return chat.BadField("apigw_endpoint", notOwn)
	}
	return nil
}

// isOwn tells whether an endpoint is this deployment's own, or the stage, as host/stage, that a frame
// came by. It is compared and never called: the endpoint that is called is Config's.
func (h *Handler) isOwn(endpoint, stage string) bool {
	endpoint = strings.TrimSuffix(endpoint, "/")
	if h.Endpoint != "" && endpoint == strings.TrimSuffix(h.Endpoint, "/") {
		return true
	}
	return stage != "" && (endpoint == "https://"+stage || endpoint == "http://"+stage)
}

// say says something in the lobby that comes from no connection.
func (h *Handler) say(ctx context.Context, id, text string) error {
	sender := chat.Connection{User: Operator}
	m := chat.Send{ID: id, Text: text}
	_, err := h.Service.Send(ctx, sender, m, func(head chat.Head, stored chat.Message) {
		h.spread(ctx, push{head: head, event: messageEvent(&head, &stored)})
	})
	return err
}
