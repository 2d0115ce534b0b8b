package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chatapi"
)

// A task is an asynchronous invocation of the function itself: a signed POST that Lambda answers
// with 202 (Lambda API Reference, Invoke).
func TestLater(t *testing.T) {
	task := chatapi.Task{Kind: chatapi.TaskUnsubscribe, Room: "ops", User: "bob"}
	for name, test := range map[string]struct {
		answers []int
		fails   bool
	}{
		"taken":                {[]int{202}, false},
		"throttled":            {[]int{429, 500, 202}, false},
		"throttled for long":   {[]int{429, 503, 500, 202}, true},
		"not allowed":          {[]int{403, 202}, true},
		"taken for a question": {[]int{200, 202}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls []*http.Request
			var got chatapi.Task
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, err := io.ReadAll(r.Body)
				if err == nil {
					err = json.Unmarshal(text, &got)
				}
				if err != nil {
					t.Error(err)
				}
				w.WriteHeader(test.answers[len(calls)])
				calls = append(calls, r)
			}))
			defer server.Close()
			s, err := readSettings(from(with(minimal, "AWS_ENDPOINT_URL_LAMBDA", server.URL)))
			if err != nil {
				t.Fatal(err)
			}
			if err := newLater(s).Later(t.Context(), task); (err != nil) != test.fails {
				t.Errorf("%v, want an error: %v", err, test.fails)
			}
			if want := min(len(test.answers), laterTries); len(calls) != want && !test.fails {
				t.Errorf("%d calls, want %d", len(calls), want)
			}
			if diff := cmp.Diff(task, got); diff != "" {
				t.Error(diff)
			}
			r := calls[0]
			if r.Method != http.MethodPost || r.URL.Path != "/2015-03-31/functions/chat/invocations" ||
				r.Header.Get("X-Amz-Invocation-Type") != "Event" {
				t.Errorf("%s %s %v", r.Method, r.URL.Path, r.Header)
			}
			signature := r.Header.Get("Authorization")
			if !strings.Contains(signature, "Credential=key/") ||
				!strings.Contains(signature, "/eu-west-1/lambda/aws4_request") ||
				r.Header.Get("X-Amz-Security-Token") != "token" {
				t.Errorf("signed %s", signature)
			}
		})
	}
}
