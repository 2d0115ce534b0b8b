package gateway

// Knobs choose where reports of what API Gateway does contradict one another. Without any the
// gateway does what the best evidence says; a program that must not care is tested both ways.
type Knobs struct {
	// ClassicIDs gives connection and message ids the form that they had until 2025: 16 characters
	// of 11 bytes. By default they have 20 of 13 bytes, as in captures of 2026.
	ClassicIDs bool
	// UnknownIDGone answers @connections calls for an id that was never issued with 410, as for a
	// closed connection. By default it is 400 "Invalid connectionId", as captured.
	UnknownIDGone bool
	// Typed413 gives the 413 for a payload that is too large the header x-amzn-ErrorType, as the
	// service model has it. By default there is none, as captured, and SDKs have no type for it.
	Typed413 bool
	// IdleCountsControlFrames lets whatever a client sends put off the idle time-out, pings too. By
	// default data frames alone do: a client that lives by that lives on AWS.
	IdleCountsControlFrames bool
	// EmptyResponses sends a route response whose body is empty, as an empty text frame. By default
	// there is no frame.
	EmptyResponses bool
	// StatusErrors answers a message whose integration gave a status from 400 on, on a route without
	// a route response, with the frame "Internal server error". By default the status is ignored.
	StatusErrors bool
	// MalformedConnectIs500 answers a handshake with 500 where $connect's result cannot be used. By
	// default it is 502, as where it failed.
	MalformedConnectIs500 bool
	// NoDisconnectAfterDelete keeps the connections that are closed by DELETE or [API.Close] from
	// $disconnect. By default it gets the event, as captured.
	NoDisconnectAfterDelete bool
	// HideExtensions leaves Sec-WebSocket-Extensions out of the CONNECT event. By default it is in
	// it, as in public events from 2020 to 2024.
	HideExtensions bool
	// FirstKeyWins selects the route by the first of a message's equal keys. By default the last
	// one counts, as in most parsers; what AWS does is not known.
	FirstKeyWins bool
}
