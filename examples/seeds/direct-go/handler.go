package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/connections"
)

// maxLength is the characters of a broadcast.
const maxLength = 4000

// handler answers the events of all routes.
type handler struct {
	table    table
	gateway  *connections.Client
	endpoint string // of the gateway, and the only apigw_endpoint that is accepted
}

// invocation is an event of API Gateway, or what `aws lambda invoke` hands over to broadcast.
type invocation struct {
	events.APIGatewayWebsocketProxyRequest
	broadcastRequest
}

// broadcastRequest is the body of sendMessage.
type broadcastRequest struct {
	Message  string `json:"message"`
	Endpoint string `json:"apigw_endpoint"`
}

// directRequest is the body of sendDirect.
type directRequest struct {
	ConnectionID string `json:"connectionId"`
	directMessage
}

// directMessage is what the receiver of sendDirect gets: any JSON value, its numbers as they were written.
type directMessage struct {
	OperationType string          `json:"operationType"`
	Message       json.RawMessage `json:"message"`
}

// refusal is what a client did wrong, in words for the client.
type refusal string

func (r refusal) Error() string { return string(r) }

// handle is the Lambda function. What a client did wrong goes to the client; every other error is
// returned, so that API Gateway tells the client and counts it.
func (h *handler) handle(ctx context.Context, e invocation) (events.APIGatewayProxyResponse, error) {
	err := h.route(ctx, e)
	var refused refusal
	if !errors.As(err, &refused) {
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: `{"status":"Message sent"}`}, err
	}
	request := e.RequestContext
	answer, err := json.Marshal(map[string]string{"error": refused.Error(), "requestId": request.RequestID})
	if err == nil && request.ConnectionID != "" {
		err = h.send(ctx, request.ConnectionID, answer)
	}
	return events.APIGatewayProxyResponse{StatusCode: 400, Body: string(answer)}, err
}

// route does what the event asks for. An event without a route is a direct invocation.
func (h *handler) route(ctx context.Context, e invocation) error {
	id := e.RequestContext.ConnectionID
	switch e.RequestContext.RouteKey {
	case "$connect":
		// The client cannot be told its id yet: a post to it is answered 410 until we have returned.
		return h.table.put(ctx, id)
	case "$disconnect":
		return h.table.forget(ctx, id)
	case "getConnectionId":
		answer, err := json.Marshal(map[string]string{"connectionId": id})
		if err != nil {
			return err
		}
		return h.send(ctx, id, answer)
	case "sendDirect":
		return h.sendDirect(ctx, e.Body)
	case "sendMessage":
		var request broadcastRequest
		if err := decode(e.Body, &request); err != nil {
			return err
		}
		return h.broadcast(ctx, request)
	default:
		return h.broadcast(ctx, e.broadcastRequest)
	}
}

// sendDirect hands a message to one connection. It says nothing of who sent it: what depends on
// that, as a signature, must be in the message and be checked there.
func (h *handler) sendDirect(ctx context.Context, body string) error {
	var request directRequest
	if err := decode(body, &request); err != nil {
		return err
	}
	switch {
	case request.ConnectionID == "":
		return refusal("connectionId must be the id of a connection")
	case request.OperationType == "":
		return refusal("operationType must be a text, and not empty")
	case request.Message == nil:
		return refusal("message is missing")
	}
	frame, err := json.Marshal(request.directMessage)
	if err != nil {
		return err
	}
	known, err := h.table.has(ctx, request.ConnectionID)
	if err != nil {
		return err
	}
	if known {
		err = h.send(ctx, request.ConnectionID, frame)
	}
	if !known || errors.Is(err, connections.ErrGone) {
		return refusal("connectionId: that connection is not open")
	}
	return err
}

// broadcast pushes the bare text of a message to everybody.
func (h *handler) broadcast(ctx context.Context, request broadcastRequest) error {
	if request.Endpoint != "" && request.Endpoint != h.endpoint { // signed requests go nowhere else
		return refusal("apigw_endpoint is not this API's")
	}
	if strings.TrimSpace(request.Message) == "" || utf8.RuneCountInString(request.Message) > maxLength {
		return refusal(fmt.Sprintf("message must be a text of 1 to %d characters", maxLength))
	}
	frames := [][]byte{[]byte(request.Message)}
	failed := 0
	for rows, err := range h.table.all(ctx) {
		if err != nil {
			return err
		}
		var to []connections.Target
		for _, row := range rows {
			to = append(to, connections.Target{ID: row.id})
		}
		gone, unsent, err := h.gateway.Post(ctx, to, frames)
		if err != nil {
			return err
		}
		failed += len(unsent)
		for _, row := range rows {
			closed := slices.Contains(gone, connections.Target{ID: row.id})
			if closed && row.settled() {
				if err := h.table.forget(ctx, row.id); err != nil {
					return err
				}
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d posts failed", failed)
	}
	return nil
}

// send posts one frame to one connection.
func (h *handler) send(ctx context.Context, id string, frame []byte) error {
	return h.gateway.Send(ctx, connections.Target{ID: id}, [][]byte{frame})
}

// decode reads a body, or says which member has another type than it must have.
func decode(body string, into any) error {
	err := json.Unmarshal([]byte(body), into)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		member := mistyped.Field[strings.LastIndex(mistyped.Field, ".")+1:] // without the embedded type
		return refusal(member + " must be a text")
	}
	return err
}
