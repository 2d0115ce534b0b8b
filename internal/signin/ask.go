package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"unicode"

	"github.com/confab-chat/confab/chat"
)

// maxAnswer is how much of an answer is read, in bytes: a page of the longest list has less.
const maxAnswer = 1 << 20

// Ask asks a desk from outside: it posts a body as JSON, or without one gets, as the session's
// bearer where there is one, and fills answer from what comes back. What the desk refuses is a
// *chat.Error with its sentence.
func Ask(
	ctx context.Context, client *http.Client, url, session string, body, answer any,
) error {
	method, text := http.MethodGet, []byte(nil)
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "confab on "+runtime.GOOS) // what lists of devices show
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return understand(response, answer)
}

// understand reads an answer, or makes the error that it is.
func understand(response *http.Response, answer any) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, answer); err != nil {
			return fmt.Errorf("something answers, and it is not Confab: %w", err)
		}
		return nil
	}
	var f failure
	if json.Unmarshal(text, &f) != nil || f.Error == "" {
		return fmt.Errorf("something answers, and it is not Confab with accounts: %s",
			response.Status)
	}
	e := chat.E(kindOf(response.StatusCode), "%s", strings.Map(shown, f.Error))
	e.Field = f.Field
	return e
}

// shown keeps what a terminal shows: a server that somebody's link leads to could say anything.
func shown(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return -1
}

// kindOf is the kind of error that has the status.
func kindOf(status int) chat.Kind {
	for kind, s := range statuses {
		if s == status && kind != chat.Unknown {
			return kind
		}
	}
	return chat.Internal
}
