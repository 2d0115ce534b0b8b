package wire

// Code is the machine-readable reason of an error event. The list only grows.
type Code string

// The codes of the native protocol.
const (
	BadJSON        Code = "bad_json"        // the frame is no JSON object that is accepted here
	BadField       Code = "bad_field"       // the message names the field
	UnknownAction  Code = "unknown_action"  // the message names the valid ones
	NotFound       Code = "not_found"       // no such thing, or not yours
	NotMember      Code = "not_member"      // you have left the room
	Forbidden      Code = "forbidden"       //
	Taken          Code = "taken"           // the name belongs to somebody else
	IDReused       Code = "id_reused"       // the same id with another text
	TooLarge       Code = "too_large"       // the message names the limit
	RateLimited    Code = "rate_limited"    // with retryAfterMs
	Unavailable    Code = "unavailable"     // not stored; with retryAfterMs
	UnknownOutcome Code = "unknown_outcome" // maybe stored: repeat the same id
	InternalError  Code = "internal"
)

// Error is why a frame was refused by a codec.
type Error struct {
	Code    Code // BadJSON, BadField, UnknownAction or TooLarge
	Field   string
	Message string
}

// Error gives the message.
func (e *Error) Error() string { return e.Message }
