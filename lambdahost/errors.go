package lambdahost

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrClosed is why a host that has been closed, or is being closed, runs nothing.
var ErrClosed = errors.New("lambdahost: closed")

// Error is why an event has not reached a function: Lambda's own answer to a call of Invoke (API
// Reference, Invoke, Errors).
type Error struct {
	Code    string // as ResourceNotFoundException
	Status  int    // of HTTP
	Message string
	Reason  string // of a TooManyRequestsException
}

// Error gives the code and the message.
func (e *Error) Error() string { return "lambdahost: " + e.Code + ": " + e.Message }

// FunctionError is what a function has failed with.
type FunctionError struct {
	Type    string // as Runtime.ExitError, or the name of the handler's exception
	Message string
	Payload []byte // the whole error as JSON
}

// functionError reads an error object.
func functionError(payload []byte) *FunctionError {
	return &FunctionError{Type: errorType(payload), Message: message(payload), Payload: payload}
}

// Error gives the message as the handler wrote it: an authorizer's "Unauthorized" means something.
func (e *FunctionError) Error() string { return e.Message }

// notFound says that there is no such function.
func (h *Host) notFound(name, qualifier string) *Error {
	arn := h.arn(name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return &Error{
		Code: "ResourceNotFoundException", Status: http.StatusNotFound,
		Message: "Function not found: " + arn,
	}
}

// tooMany says that a limit of concurrency is reached.
func tooMany(reason string) *Error {
	return &Error{
		Code: "TooManyRequestsException", Status: http.StatusTooManyRequests,
		Message: "Rate Exceeded.", Reason: reason,
	}
}

// Why Lambda refuses an event for its concurrency.
const (
	limitOfHost     = "ConcurrentInvocationLimitExceeded"
	limitOfFunction = "ReservedFunctionConcurrentInvocationLimitExceeded"
)

// tooLarge says that an event is over a limit.
func tooLarge(limit int) *Error {
	return &Error{
		Code: "RequestTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("Request must be smaller than %d bytes", limit) +
			" for the InvokeFunction operation",
	}
}

// badContent says that an event cannot be read.
func badContent(message string) *Error {
	return &Error{
		Code: "InvalidRequestContentException", Status: http.StatusBadRequest, Message: message,
	}
}

// errorPayload is the error object that Lambda makes itself.
func errorPayload(kind, message string) []byte {
	payload, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{kind, message})
	if err != nil {
		panic(err) // two texts can always be encoded
	}
	return payload
}
