package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/confab-chat/confab/connections"
)

// maxRequest is how much of a too large request is read to check its signature, API Gateway's
// payload limit; more is refused unread.
const maxRequest = 10 << 20

// serveConnections answers /{stage}/@connections/{id}, in AWS's order of checks: the id before the
// signature, the signature before the permission, then the size, then the connection.
func (a *API) serveConnections(w http.ResponseWriter, r *http.Request, stage, escaped string) {
	if !a.cfg.ServeConnections {
		a.forbid(w, r)
		return
	}
	id, err := url.PathUnescape(escaped)
	switch {
	case err == nil && a.ids.issued(id):
	case a.cfg.Knobs.UnknownIDGone:
		a.answer(w, http.StatusGone, "GoneException", "")
		return
	default:
		a.answer(w, http.StatusBadRequest, "BadRequestException", "Invalid connectionId: "+id)
		return
	}
	auth, refused := a.claim(r)
	if refused != nil {
		a.answer(w, http.StatusForbidden, refused.kind, refused.message)
		return
	}
	body, hash, err := readBody(r)
	switch {
	case errors.Is(err, connections.ErrTooLarge) && hash == "":
		a.tooLarge(w)
		return
	case err != nil && !errors.Is(err, connections.ErrTooLarge):
		a.answer(w, http.StatusBadRequest, "BadRequestException", "Bad Request")
		return
	}
	if !a.mayCall(w, r, stage, &auth, hash) {
		return
	}
	if err != nil {
		a.tooLarge(w)
		return
	}
	a.serveCall(w, r, connections.Target{ID: id}, body)
}

// serveCall does what a permitted call asks for.
func (a *API) serveCall(w http.ResponseWriter, r *http.Request, target connections.Target, body []byte) {
	switch r.Method {
	case http.MethodPost:
		a.servePost(w, target, body)
	case http.MethodGet:
		a.serveDescribe(w, r, target)
	case http.MethodDelete:
		err := a.Close(r.Context(), target, 1000, "Connection Closed Normally")
		a.conclude(w, err, http.StatusNoContent)
	default:
		a.answer(w, http.StatusForbidden, "MissingAuthenticationTokenException",
			"Missing Authentication Token")
	}
}

// mayCall checks the caller's signature and permission and the account's throttle, and answers who
// may not call.
func (a *API) mayCall(w http.ResponseWriter, r *http.Request, stage string, auth *authorization,
	bodyHash string,
) bool {
	if refused := a.verify(r, auth, bodyHash); refused != nil {
		a.answer(w, http.StatusForbidden, refused.kind, refused.message)
		return false
	}
	resource := a.resource(stage, r.Method)
	if a.cfg.MayManage != nil && !a.cfg.MayManage(auth.key, resource) {
		a.deny(w, auth.key, resource)
		return false
	}
	if !passes(a.cfg.Now, a.requests) {
		a.throttled(w, "LimitExceededException")
		return false
	}
	return true
}

// resource is what a call is about as AWS's policies see it, whatever the connection is.
func (a *API) resource(stage, method string) string {
	return fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s/@connections/{connectionId}",
		a.cfg.Region, a.cfg.Account, a.cfg.APIID, stage, method)
}

// deny answers a caller without the right to call; AWS spells this Message with a capital.
func (a *API) deny(w http.ResponseWriter, key, resource string) {
	text, err := json.Marshal(struct{ Message string }{fmt.Sprintf(
		"User: arn:aws:iam::%s:user/%s is not authorized to perform: execute-api:ManageConnections "+
			"on resource: %s because no identity-based policy allows the "+
			"execute-api:ManageConnections action", a.cfg.Account, key, resource)})
	if err != nil {
		text = []byte(`{}`)
	}
	a.head(w, http.StatusForbidden, "application/json", "AccessDeniedException")
	w.Write(text)
}

// tooLarge answers a payload over the limit.
func (a *API) tooLarge(w http.ResponseWriter) {
	kind := ""
	if a.cfg.Knobs.Typed413 {
		kind = "PayloadTooLargeException"
	}
	a.answer(w, http.StatusRequestEntityTooLarge, kind, "")
}

// readBody reads what may be posted and hashes all of it. A body over the limit is ErrTooLarge, and
// one that is far over it has no hash.
func readBody(r *http.Request) (body []byte, hash string, err error) {
	h := sha256.New()
	in := io.TeeReader(r.Body, h)
	body, err = io.ReadAll(io.LimitReader(in, connections.MaxPayload+1))
	if err != nil {
		return nil, "", fmt.Errorf("gateway: read body: %w", err)
	}
	if len(body) <= connections.MaxPayload {
		return body, hex.EncodeToString(h.Sum(nil)), nil
	}
	n, err := io.Copy(io.Discard, io.LimitReader(in, maxRequest))
	if err != nil {
		return nil, "", fmt.Errorf("gateway: read body: %w", err)
	}
	if n == maxRequest {
		return nil, "", connections.ErrTooLarge
	}
	return nil, hex.EncodeToString(h.Sum(nil)), connections.ErrTooLarge
}

func (a *API) servePost(w http.ResponseWriter, t connections.Target, body []byte) {
	result := gone
	if c := a.lookup(t.ID); c != nil {
		b := newBatch()
		defer b.release()
		b.text(body)
		if result = c.post(b); result == taken {
			c.active.Store(a.now())
			a.stats.sent(1, b)
		}
	}
	switch result {
	case gone:
		a.answer(w, http.StatusGone, "GoneException", "")
	case dropped:
		a.answer(w, http.StatusTooManyRequests, "LimitExceededException", "Limit exceeded")
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "0")
		a.answer(w, http.StatusOK, "", "")
	}
}

// timestamp is ISO 8601 in UTC with milliseconds.
const timestamp = "2006-01-02T15:04:05.000Z"

type identityJSON struct {
	SourceIP  string  `json:"sourceIp"`
	UserAgent *string `json:"userAgent"`
}

type infoJSON struct {
	Identity     identityJSON `json:"identity"`
	ConnectedAt  string       `json:"connectedAt"`
	LastActiveAt string       `json:"lastActiveAt"`
}

func (a *API) serveDescribe(w http.ResponseWriter, r *http.Request, t connections.Target) {
	info, err := a.Describe(r.Context(), t)
	if err != nil {
		a.conclude(w, err, 0)
		return
	}
	answer := infoJSON{
		Identity:     identityJSON{SourceIP: info.SourceIP},
		ConnectedAt:  info.ConnectedAt.UTC().Format(timestamp),
		LastActiveAt: info.LastActiveAt.UTC().Format(timestamp),
	}
	if info.UserAgent != "" {
		answer.Identity.UserAgent = &info.UserAgent
	}
	text, err := json.MarshalIndent(answer, "", "  ")
	if err != nil {
		a.conclude(w, err, 0)
		return
	}
	a.head(w, http.StatusOK, "application/json", "")
	w.Write(text)
}

// conclude answers what has no body when it succeeds.
func (a *API) conclude(w http.ResponseWriter, err error, success int) {
	switch {
	case err == nil:
		a.answer(w, success, "", "")
	case errors.Is(err, connections.ErrGone):
		a.answer(w, http.StatusGone, "GoneException", "")
	default:
		a.cfg.Logger.Error("@connections call failed", "error", err)
		a.answer(w, http.StatusInternalServerError, "InternalServerErrorException",
			"Internal server error")
	}
}

// answer writes an answer as API Gateway words it: the kind of error in a header, where SDKs look
// first, and the message as JSON; without a message there is no body.
func (a *API) answer(w http.ResponseWriter, status int, kind, message string) {
	if message == "" {
		a.head(w, status, "", kind)
		return
	}
	body, err := json.Marshal(struct {
		Message string `json:"message"`
	}{message})
	if err != nil {
		body = []byte(`{}`)
	}
	a.head(w, status, "application/json", kind)
	w.Write(body)
}

// head writes the headers that every answer of API Gateway has, spelled as it spells them.
func (a *API) head(w http.ResponseWriter, status int, contentType, kind string) {
	h := w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	if kind != "" {
		h["x-amzn-ErrorType"] = []string{kind}
	}
	uuid, err := a.ids.uuid()
	if err == nil {
		h["x-amzn-RequestId"] = []string{uuid}
	}
	request, err := a.ids.request()
	if err == nil {
		h["x-amz-apigw-id"] = []string{request}
	}
	var raw [12]byte
	if err := a.ids.random(raw[:]); err == nil {
		h.Set("X-Amzn-Trace-Id", traceID(a.cfg.Now().Unix(), raw))
	}
	w.WriteHeader(status)
}
