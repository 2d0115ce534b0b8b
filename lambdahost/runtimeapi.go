package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// runtimePrefix is where the Runtime API begins (Developer Guide, "Using the Lambda runtime API for
// custom runtimes").
const runtimePrefix = "/2018-06-01/runtime/"

// ServeHTTP is the process's Runtime API, with as much of the Extensions API as a process needs
// that wants to be told before it ends.
func (sb *sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		refuse(w, http.StatusForbidden, "AccessDenied", "This is no place for browsers")
		return
	}
	path, id := splitPath(r.URL.Path)
	switch r.Method + " " + path {
	case "GET " + runtimePrefix + "invocation/next":
		sb.next(w, r)
	case "POST " + runtimePrefix + "init/error":
		sb.cannotInitialize(w, r)
	case "POST " + runtimePrefix + "invocation/{id}/response":
		sb.respond(w, r, id)
	case "POST " + runtimePrefix + "invocation/{id}/error":
		sb.fail(w, r, id)
	case "POST /2020-01-01/extension/register":
		sb.register(w)
	case "GET /2020-01-01/extension/event/next":
		<-r.Context().Done() // it has registered for no events
	default:
		refuse(w, http.StatusNotFound, "NotFound", "There is no "+r.Method+" "+r.URL.Path)
	}
}

// splitPath takes the id of an event out of a path.
func splitPath(path string) (pattern, id string) {
	const events = runtimePrefix + "invocation/"
	if rest, ok := strings.CutPrefix(path, events); ok {
		if id, verb, ok := strings.Cut(rest, "/"); ok {
			return events + "{id}/" + verb, id
		}
	}
	return path, ""
}

// next answers an event when there is one. The event before is complete now.
func (sb *sandbox) next(w http.ResponseWriter, r *http.Request) {
	sb.mu.Lock()
	inv := sb.current
	if inv != nil && inv.taken && !inv.answered {
		sb.mu.Unlock()
		refuseState(w, "The event before has no answer yet")
		return
	}
	if !sb.asked {
		sb.asked = true
		close(sb.ready)
	} else if inv != nil && inv.answered && !inv.completed {
		inv.completed = true
		close(inv.done)
	}
	sb.mu.Unlock()
	select {
	case inv = <-sb.events:
	case <-r.Context().Done():
		return
	}
	sb.mu.Lock()
	inv.taken = true
	sb.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	header.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	if inv.clientContext != "" {
		header.Set("Lambda-Runtime-Client-Context", inv.clientContext)
	}
	w.Write(inv.event)
}

// exceeded is what is wrong with a large answer.
var exceeded = fmt.Sprintf("exceeded maximum allowed payload size (%d bytes).", maxAnswer)

// respond takes the answer to an event.
func (sb *sandbox) respond(w http.ResponseWriter, r *http.Request, id string) {
	body, err := readAnswer(w, r)
	answer := outcome{payload: body}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		answer = failure("error", "Function.ResponseSizeTooLarge",
			"Response payload size "+exceeded)
	} else if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	if kind := r.Trailer.Get(errorTypeHeader); kind != "" { // it has failed while it was written
		text := r.Trailer.Get("Lambda-Runtime-Function-Error-Body")
		payload, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(payload) == 0 {
			payload = errorPayload(kind, "")
		}
		answer = outcome{payload: payload, failed: true, status: "error", kind: reportedType(kind)}
	}
	if !sb.accept(w, id, answer) {
		return
	}
	if tooLarge != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			"E"+exceeded[1:])
		return
	}
	accepted(w)
}

// fail takes the error that an event has ended with.
func (sb *sandbox) fail(w http.ResponseWriter, r *http.Request, id string) {
	answer, err := readError(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	if sb.accept(w, id, answer) {
		accepted(w)
	}
}

// accept takes an answer if the event with the id is under way and has none yet.
func (sb *sandbox) accept(w http.ResponseWriter, id string, answer outcome) bool {
	sb.mu.Lock()
	inv := sb.current
	known := inv != nil && inv.id == id && inv.taken && !inv.completed
	repeated := known && inv.answered
	if known && !repeated {
		inv.answered, inv.answer = true, answer
	}
	sb.mu.Unlock()
	switch {
	case !known:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case repeated:
		refuseState(w, "The event has been answered")
	}
	return known && !repeated
}

// cannotInitialize takes the error that initializing has ended with.
func (sb *sandbox) cannotInitialize(w http.ResponseWriter, r *http.Request) {
	answer, err := readError(w, r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", err.Error())
		return
	}
	sb.mu.Lock()
	late := sb.asked || sb.initAnswer != nil
	if !late {
		sb.initAnswer = &answer
	}
	sb.mu.Unlock()
	if late {
		refuseState(w, "The function has been initialized")
		return
	}
	accepted(w)
	close(sb.failed)
}

// register notes that the process wants SIGTERM before it is killed.
func (sb *sandbox) register(w http.ResponseWriter) {
	sb.mu.Lock()
	sb.sigterm = true
	sb.mu.Unlock()
	w.Header().Set("Lambda-Extension-Identifier", newID())
	answerJSON(w, http.StatusOK, map[string]string{
		"functionName": sb.fn.Name, "functionVersion": sb.fn.Version, "handler": sb.fn.Handler,
	})
}

// errorTypeHeader has the type of an error.
const errorTypeHeader = "Lambda-Runtime-Function-Error-Type"

// readAnswer reads a body within Lambda's limit.
func readAnswer(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
}

// readError reads an error object. A runtime that sends none is answered for.
func readError(w http.ResponseWriter, r *http.Request) (outcome, error) {
	body, err := readAnswer(w, r)
	if err != nil {
		return outcome{}, err
	}
	kind := r.Header.Get(errorTypeHeader)
	if !json.Valid(body) {
		body = errorPayload(reportedType(kind), string(body))
	}
	if kind == "" {
		kind = errorType(body)
	}
	return outcome{payload: body, failed: true, status: "error", kind: reportedType(kind)}, nil
}

// accepted answers that something has been taken.
func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, `{"status":"OK"}`+"\n")
}

// refuse answers with an error of the Runtime API.
func refuse(w http.ResponseWriter, status int, kind, message string) {
	answerJSON(w, status, map[string]string{"errorType": kind, "errorMessage": message})
}

// refuseState refuses what comes out of order.
func refuseState(w http.ResponseWriter, message string) {
	refuse(w, http.StatusForbidden, "InvalidStateTransition", message)
}

// answerJSON answers with a JSON value.
func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the peer is gone
}
