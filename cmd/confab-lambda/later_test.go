package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// Where an answer does not come, as over a connection that died while the function was frozen, it is
// asked for again within the function's time.
func TestLater_NoAnswer(t *testing.T) {
	t.Parallel() // it takes its seconds
	var calls atomic.Int64
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			<-ended
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	defer close(ended)
	s, err := readSettings(from(with(minimal, "AWS_ENDPOINT_URL_LAMBDA", server.URL)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // the template's
	defer cancel()
	err = newLater(s).Later(ctx, chatapi.Task{Kind: chatapi.TaskUnsubscribe})
	if err != nil || calls.Load() != 2 {
		t.Errorf("%v after %d calls, want none after 2", err, calls.Load())
	}
}
