package lambdahost

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Type says who waits for an invocation.
type Type string

// The types of invocations (API Reference, Invoke, InvocationType).
const (
	RequestResponse Type = "RequestResponse" // the caller waits; the default
	Event           Type = "Event"           // nobody waits; failures are retried twice
	DryRun          Type = "DryRun"          // only whether it could be invoked
)

// Input is an event for a function.
type Input struct {
	// Function is a name, name:qualifier, a whole or a partial ARN.
	Function  string
	Qualifier string // a version or an alias; default: that in Function, else the only version
	Type      Type
	Payload   []byte // JSON; default {}
	LogTail   bool   // answer the end of the log; with RequestResponse only
	// ClientContext is JSON that the handler finds in its context.
	ClientContext string
	RequestID     string // default a new one
	TraceID       string // default a new one
}

// Output is what has become of an event.
type Output struct {
	Status    int    // of HTTP: 200, 202 for Event, 204 for DryRun
	Payload   []byte // the function's answer, or an error object
	RequestID string
	// FunctionError is "Unhandled" if the function has failed, else empty. ("Handled" was for
	// runtimes of long ago.)
	FunctionError   string
	ExecutedVersion string
	LogTail         []byte // the last 4 KB, if asked for
}

// Err gives the failure of the function as a [FunctionError], or nil.
func (o Output) Err() error {
	if o.FunctionError == "" {
		return nil
	}
	return functionError(o.Payload)
}

// Invoke gives a function an event. A function that fails is no error here: see [Output.Err]. An
// error is an [Error] in Lambda's words, [ErrClosed], or that of ctx: the function then runs on
// until it ends or its own timeout is over, as on AWS.
func (h *Host) Invoke(ctx context.Context, in Input) (Output, error) {
	f, _, err := h.find(in.Function, in.Qualifier)
	if err != nil {
		return Output{}, err
	}
	if in, err = in.withDefaults(); err != nil {
		return Output{}, err
	}
	out := Output{RequestID: in.RequestID, ExecutedVersion: f.Version}
	switch in.Type {
	case DryRun:
		out.Status = http.StatusNoContent
		return out, nil
	case Event:
		out.Status = http.StatusAccepted
		return out, h.enqueue(in)
	}
	if err := h.begin(); err != nil {
		return out, err
	}
	return h.wait(ctx, in)
}

// wait invokes a function and waits for the outcome, or for the end of ctx.
func (h *Host) wait(ctx context.Context, in Input) (Output, error) {
	out := Output{RequestID: in.RequestID}
	f, arn, err := h.admit(in)
	if err != nil {
		h.tasks.Done()
		return out, err
	}
	type ended struct {
		outcome outcome
		err     error
	}
	inv := in.invocation(arn)
	result := make(chan ended, 1)
	go func() {
		defer h.tasks.Done()
		outcome, err := f.run(inv)
		f.leave()
		result <- ended{outcome, err}
	}()
	select {
	case r := <-result:
		out.Status, out.Payload, out.LogTail = http.StatusOK, r.outcome.payload, inv.tail.last()
		out.ExecutedVersion = f.Version
		if r.outcome.failed {
			out.FunctionError = "Unhandled"
		}
		return out, r.err
	case <-ctx.Done():
		return out, ctx.Err()
	}
}

// admit finds the function of an event and counts the event as under way.
func (h *Host) admit(in Input) (*deployed, string, error) {
	for {
		f, arn, err := h.find(in.Function, in.Qualifier)
		if err != nil {
			return nil, "", err
		}
		if err = f.enter(); err == nil {
			return f, arn, nil
		}
		if !errors.Is(err, errRetired) {
			return nil, "", err
		}
	}
}

// withDefaults checks what is known before the function is.
func (in Input) withDefaults() (Input, error) {
	if in.RequestID == "" {
		in.RequestID = newID()
	}
	if in.TraceID == "" {
		root := "Root=1-" + randomHex(4) + "-" + randomHex(12)
		in.TraceID = root + ";Parent=" + randomHex(8) + ";Sampled=0"
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if in.ClientContext != "" {
		var err error
		if in.ClientContext, err = headerJSON(in.ClientContext); err != nil {
			return in, badContent("Client context must be a valid Base64-encoded JSON object.")
		}
	}
	limit := MaxPayload
	switch in.Type {
	case "":
		in.Type = RequestResponse
	case RequestResponse, DryRun:
	case Event:
		limit = MaxAsyncPayload
	default:
		return in, &Error{
			Code: "InvalidParameterValueException", Status: http.StatusBadRequest,
			Message: fmt.Sprintf("%q is no invocation type", in.Type),
		}
	}
	if len(in.Payload) > limit {
		return in, tooLarge(limit)
	}
	if !json.Valid(in.Payload) {
		return in, badContent("Could not parse request body into json")
	}
	return in, nil
}

// invocation makes the event's way through a process.
func (in Input) invocation(arn string) *invocation {
	inv := &invocation{
		id: in.RequestID, arn: arn, traceID: in.TraceID, clientContext: in.ClientContext,
		event: in.Payload, done: make(chan struct{}),
	}
	if in.LogTail {
		inv.tail = &tail{}
	}
	return inv
}

// newID makes a request id, a random UUID (RFC 9562, section 5.4).
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// headerJSON writes JSON as a header can carry it: on one line and in ASCII.
func headerJSON(text string) (string, error) {
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(text)); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, r := range line.String() {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String(), nil
}

// decodeContext decodes a client context as it travels: JSON in base64.
func decodeContext(text string) (string, error) {
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(text) > maxContext {
		return "", badContent("Client context must be a valid Base64-encoded JSON object.")
	}
	return string(decoded), nil
}

// maxContext is the most bytes of an encoded client context (API Reference, Invoke, ClientContext).
const maxContext = 3583
