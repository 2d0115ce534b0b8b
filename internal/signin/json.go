package signin

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/confab-chat/confab/chat"
)

// maxBody is the size of a request's body, in bytes.
const maxBody = 4 << 10

// Read fills v from a request's JSON. Unknown members are refused: a misspelled one would be
// ignored otherwise.
func Read(r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return chat.E(chat.Invalid, "want a body of Content-Type application/json")
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(v)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return chat.E(chat.TooLarge, "the body has over %d bytes", maxBody)
	case err != nil:
		return chat.E(chat.Invalid, "the body is not the JSON that is wanted here: %v", err)
	}
	return nil
}

// statuses is the one table from kinds of error to HTTP statuses.
var statuses = map[chat.Kind]int{
	chat.Invalid: http.StatusBadRequest, chat.Unauthenticated: http.StatusUnauthorized,
	chat.Forbidden: http.StatusForbidden, chat.NotFound: http.StatusNotFound,
	chat.Taken: http.StatusConflict, chat.TooLarge: http.StatusRequestEntityTooLarge,
	chat.Limited: http.StatusTooManyRequests, chat.Unavailable: http.StatusServiceUnavailable,
	chat.Unknown: http.StatusServiceUnavailable,
}

// failure is the answer to what did not work.
type failure struct {
	Error string `json:"error"`
	Field string `json:"field,omitempty"` // the member at fault
}

// Reply answers with JSON, which nobody may keep: with an answer, or with the status and the
// sentence of an error.
func Reply(w http.ResponseWriter, r *http.Request, logger *slog.Logger, answer any, err error) {
	status := http.StatusOK
	if err != nil {
		status, answer = failed(w, r, logger, err)
	}
	text, err := json.Marshal(answer)
	if err != nil {
		logger.ErrorContext(r.Context(), "failed", "op", r.Pattern, "error", err)
		status = http.StatusInternalServerError
		text = []byte(`{"error":"something broke on the server"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone
}

// failed gives status and answer of an error. The text of one of ours stays in the log.
func failed(
	w http.ResponseWriter, r *http.Request, logger *slog.Logger, err error,
) (int, failure) {
	status, known := statuses[chat.KindOf(err)]
	if !known {
		logger.ErrorContext(r.Context(), "failed", "op", r.Pattern, "error", err)
		return http.StatusInternalServerError, failure{Error: "something broke on the server"}
	}
	f := failure{Error: chat.KindOf(err).String()}
	var e *chat.Error
	if errors.As(err, &e) {
		if e.Message != "" {
			f.Error, f.Field = e.Message, e.Field
		}
		if seconds := math.Ceil(max(e.RetryAfter, time.Second).Seconds()); status == 429 || status == 503 {
			w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
		}
	}
	return status, f
}
