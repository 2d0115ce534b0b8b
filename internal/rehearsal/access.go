package rehearsal

import (
	"encoding/json"
	"strconv"
	"time"
)

// accessFormat is the access log that a journal reads, as JSON: its values are escaped so.
const accessFormat = `{"id":"$context.requestId","kind":"$context.eventType",` +
	`"route":"$context.routeKey","stage":"$context.stage","connection":"$context.connectionId",` +
	`"status":"$context.status","message":"$context.error.message",` +
	`"response":"$context.error.responseType","failure":"$context.integrationErrorMessage",` +
	`"principal":"$context.authorizer.principalId","verdict":"$context.authorizer.status",` +
	`"objection":"$context.authorizer.error","epoch":"$context.requestTimeEpoch"}`

// access is a line of that log. What is not there is "-".
type access struct {
	ID, Kind, Route, Stage, Connection, Status, Message, Response, Failure string
	Principal, Verdict, Objection, Epoch                                   string
}

// accessLog takes the access log of an API's stage.
type accessLog struct {
	journal *Journal
	api     string // logical id
}

// Write takes a line.
func (l accessLog) Write(line []byte) (int, error) {
	var a access
	if err := json.Unmarshal(line, &a); err != nil {
		return 0, err
	}
	if a.Kind != "CONNECTION_API" { // those are noted with who has made them
		l.journal.finished(l.api, &a)
	}
	return len(line), nil
}

// finished notes what became of an event.
func (j *Journal) finished(api string, a *access) {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.entry(a.ID, a.Kind)
	e.Kind, e.API, e.Stage, e.Route = a.Kind, api, a.Stage, a.Route
	e.Connection, e.Status = a.Connection, a.Status
	if a.unrouted() {
		e.Route = "without a route"
	}
	if epoch, err := strconv.ParseInt(a.Epoch, 10, 64); err == nil {
		e.Took = max(0, j.now().Sub(time.UnixMilli(epoch)))
	}
	e.Verdict = a.judgement()
	for _, c := range e.Calls {
		if c.Error != "" && present(a.Failure) {
			a.Failure = c.Error // which has the error's type too
		}
	}
	e.Reason = a.reason()
	j.print(e.ID, eventLine(e))
}

// reason says why an event came to nothing, in the gateway's words and ours.
func (a *access) reason() string {
	switch {
	case present(a.Failure) && present(a.Message):
		return a.Message + ": " + a.Failure
	case a.unrouted():
		return a.Message + ": no route has this key, and there is no $default"
	case present(a.Message):
		return a.Message
	}
	return ""
}

// unrouted tells whether no route has taken a message.
func (a *access) unrouted() bool { return a.Kind == "MESSAGE" && a.Status == "403" }

// judgement says what the authorizer has found.
func (a *access) judgement() string {
	switch {
	case a.Kind != "CONNECT" || !present(a.Verdict):
		return ""
	case present(a.Objection):
		return a.Verdict + " " + a.Objection
	case present(a.Principal):
		return "allowed " + a.Principal
	}
	return "allowed"
}

// present tells whether a variable of an access log has a value.
func present(value string) bool { return value != "" && value != "-" }
