package chatapi

import (
	"errors"
	"fmt"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/wire"
)

// Close codes that the chat itself asks for (RFC 6455, section 7.4.1). On AWS they are 1000's.
const (
	closeAway    = 1001 // the lease has lapsed
	closePolicy  = 1008 // over the rate, or acting on an ended connection
	CloseRestart = 1012 // the server restarts: reconnect
)

// suspectAge is the age up to which a connection that a post finds gone may be not yet open.
const suspectAge = 10 * time.Second

// retryAfter is what a client is told to wait when the store did not say.
const retryAfter = time.Second

// codes is the one table from kinds of error to wire codes.
var codes = map[chat.Kind]wire.Code{
	chat.Internal:    wire.InternalError,
	chat.Invalid:     wire.BadField,
	chat.NotFound:    wire.NotFound,
	chat.NotMember:   wire.NotMember,
	chat.Forbidden:   wire.Forbidden,
	chat.Taken:       wire.Taken,
	chat.IDReused:    wire.IDReused,
	chat.Limited:     wire.RateLimited,
	chat.TooLarge:    wire.TooLarge,
	chat.Unavailable: wire.Unavailable,
	chat.Unknown:     wire.UnknownOutcome,
	chat.Corrupt:     wire.InternalError,

	chat.Unauthenticated: wire.Forbidden,
}

// statuses is the same for a refused handshake.
var statuses = map[chat.Kind]int{
	chat.Invalid: 400, chat.Forbidden: 403, chat.Taken: 409, chat.Limited: 429,
	chat.Unavailable: 503, chat.Unknown: 503, chat.Unauthenticated: 401,
}

// failure gives the error event of an error. The cause of an internal one stays in the log.
func failure(err error) wire.Failure {
	var refused *wire.Error
	if errors.As(err, &refused) {
		return wire.Failure{Code: refused.Code, Message: refused.Message}
	}
	if errors.Is(err, connections.ErrTooLarge) {
		text := fmt.Sprintf("the frame would have over %d bytes", connections.MaxPayload)
		return wire.Failure{Code: wire.TooLarge, Message: text}
	}
	f := wire.Failure{Code: codes[chat.KindOf(err)], Message: explain(err)}
	var e *chat.Error
	if errors.As(err, &e) {
		f.RetryAfterMs = int(e.RetryAfter.Milliseconds())
	}
	switch f.Code {
	case wire.RateLimited, wire.Unavailable, wire.UnknownOutcome:
		if f.RetryAfterMs == 0 {
			f.RetryAfterMs = int(retryAfter.Milliseconds())
		}
	}
	return f
}

// explain gives the sentence that a user may read.
func explain(err error) string {
	var e *chat.Error
	kind := chat.KindOf(err)
	switch kind {
	case chat.Internal, chat.Corrupt:
		return "something broke on the server; its log has it under this requestId"
	case chat.Unavailable:
		return "the store does not answer; nothing was stored, try again"
	case chat.Unknown:
		return "the store did not answer; it may be stored, repeat it with the same id"
	}
	if errors.As(err, &e) && e.Message != "" {
		return e.Message
	}
	return kind.String()
}
