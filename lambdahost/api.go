package lambdahost

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
)

// invokePrefix is where the Invoke API begins (API Reference, Invoke).
const invokePrefix = "/2015-03-31/functions/"

// ServeHTTP is Lambda's Invoke API: POST /2015-03-31/functions/{function}/invocations. It takes any
// signature or none; requests of browsers, which somebody's page could send, are refused.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, found := strings.CutPrefix(r.URL.Path, invokePrefix)
	name, invocations := strings.CutSuffix(name, "/invocations")
	switch {
	case !found || !invocations || name == "" || strings.Contains(name, "/"):
		answerError(w, &Error{
			Code: "UnknownOperationException", Status: http.StatusNotFound,
			Message: "Only Invoke is here: POST " + invokePrefix + "{function}/invocations",
		})
	case r.Method != http.MethodPost:
		answerError(w, &Error{
			Code: "UnknownOperationException", Status: http.StatusMethodNotAllowed,
			Message: "Invoke is a POST",
		})
	case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
		answerError(w, &Error{
			Code: "AccessDeniedException", Status: http.StatusForbidden,
			Message: "This is no place for browsers",
		})
	default:
		h.serveInvoke(w, r, name)
	}
}

// serveInvoke answers a call of Invoke.
func (h *Host) serveInvoke(w http.ResponseWriter, r *http.Request, name string) {
	in := Input{
		Function: name, Qualifier: r.URL.Query().Get("Qualifier"), RequestID: newID(),
		Type:    Type(r.Header.Get("X-Amz-Invocation-Type")),
		LogTail: r.Header.Get("X-Amz-Log-Type") == "Tail", TraceID: r.Header.Get("X-Amzn-Trace-Id"),
	}
	w.Header().Set("X-Amzn-Requestid", in.RequestID)
	out, err := h.invokeRequest(r, in)
	if err != nil {
		answerError(w, err)
		return
	}
	header := w.Header()
	if out.Status != http.StatusOK {
		w.WriteHeader(out.Status)
		return
	}
	header.Set("Content-Type", "application/json")
	header.Set("X-Amz-Executed-Version", out.ExecutedVersion)
	if out.FunctionError != "" {
		header.Set("X-Amz-Function-Error", out.FunctionError)
	}
	if in.LogTail {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(out.LogTail))
	}
	w.WriteHeader(out.Status)
	w.Write(out.Payload)
}

// invokeRequest invokes what a request asks for.
func (h *Host) invokeRequest(r *http.Request, in Input) (out Output, err error) {
	if in.ClientContext, err = decodeContext(r.Header.Get("X-Amz-Client-Context")); err != nil {
		return out, err
	}
	if in.Payload, err = io.ReadAll(io.LimitReader(r.Body, MaxPayload+1)); err != nil {
		return out, badContent(err.Error())
	}
	return h.Invoke(r.Context(), in)
}

// answerError answers with an error of the Invoke API.
func answerError(w http.ResponseWriter, err error) {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled):
		return // the caller is gone
	default:
		e = &Error{Code: "ServiceException", Status: 500, Message: err.Error()}
	}
	body := map[string]string{"Type": "User", "Message": e.Message}
	if e.Status >= http.StatusInternalServerError {
		body["Type"] = "Service"
	}
	if e.Code != "ResourceNotFoundException" { // the only one with a capital, as captured
		delete(body, "Message")
		body["message"] = e.Message
	}
	if e.Reason != "" {
		body["Reason"] = e.Reason
	}
	w.Header().Set("X-Amzn-Errortype", e.Code)
	answerJSON(w, e.Status, body)
}
