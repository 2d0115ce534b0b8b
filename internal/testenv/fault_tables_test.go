//go:build !race

package testenv_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/testenv"
)

// The kinds of fault that DynamoDB has and DynamoDB Local does not show.
const (
	throughput    = "throughput exceeded"
	throttling    = "throttling"
	conflict      = "conflict"
	serverError   = "internal server error"
	timeoutBefore = "timeout before"
	timeoutAfter  = "timeout after"
	unprocessed   = "unprocessed keys"
	shortPage     = "short page"
	staleRead     = "stale read"
	bareRefusal   = "refusal without the item"
)

// faultyTables stands before DynamoDB Local and gives one request in five a fault.
type faultyTables struct {
	*dice
	next http.Handler

	mu     sync.Mutex
	stale  map[string][]byte // the first answer to each eventually consistent Query
	stored map[string]bool   // messages that the engine has, by room and id
	early  []string          // frames of messages that it had not
}

// asked is a request to DynamoDB (API Reference: the target is DynamoDB_20120810.Operation).
type asked struct {
	operation string
	input     map[string]any
}

func readAsked(r *http.Request) (a asked, body []byte, err error) {
	_, a.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if body, err = io.ReadAll(r.Body); err == nil {
		err = json.Unmarshal(body, &a.input)
	}
	return a, body, err
}

// kinds are the faults that a request can have.
func (a asked) kinds() []string {
	kinds := []string{throughput, throttling, serverError, timeoutBefore, timeoutAfter}
	switch a.operation {
	case "PutItem", "UpdateItem", "DeleteItem":
		return append(kinds, conflict, bareRefusal)
	case "BatchGetItem", "BatchWriteItem":
		return append(kinds, unprocessed)
	case "Query":
		if a.input["ConsistentRead"] == true {
			return append(kinds, shortPage)
		}
		return append(kinds, shortPage, staleRead, staleRead, staleRead) // the others have plenty
	case "GetItem":
		return kinds
	}
	return nil // of whoever makes the table
}

func (f *faultyTables) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, body, err := readAsked(r)
	if err != nil {
		panic(http.ErrAbortHandler) // its client has gone
	}
	kind, kinds := "", a.kinds()
	if kinds != nil {
		kind = f.draw(0.2, kinds...)
	}
	switch kind {
	case throughput:
		refuse(w, http.StatusBadRequest, "ProvisionedThroughputExceededException")
		return
	case throttling:
		refuse(w, http.StatusBadRequest, "ThrottlingException")
		return
	case conflict:
		refuse(w, http.StatusBadRequest, "TransactionConflictException")
		return
	case serverError:
		refuse(w, http.StatusInternalServerError, "InternalServerError")
		return
	case timeoutBefore:
		f.lose(r)
	}
	left := a.shorten(kind)
	if left != nil || kind == shortPage {
		body, _ = json.Marshal(a.input) // it was JSON before
	}
	answer := f.ask(r, body)
	f.remember(a, answer)
	text := answer.Body.Bytes()
	switch kind {
	case timeoutAfter:
		f.lose(r)
	case unprocessed:
		text = change(text, func(out map[string]any) { out[leftover[a.operation]] = left })
	case bareRefusal:
		text = change(text, func(out map[string]any) { delete(out, "Item") })
	case staleRead:
		text = f.first(a, text)
	}
	header := answer.Header()
	header.Del("X-Amz-Crc32") // it would be of the engine's own text
	header.Set("Content-Length", strconv.Itoa(len(text)))
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(text) // who has gone misses it
}

// refuse answers as DynamoDB does (Developer Guide, "Error handling with DynamoDB").
func refuse(w http.ResponseWriter, status int, kind string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	text := `{"__type":"com.amazonaws.dynamodb.v20120810#` + kind + `","message":"a planted fault"}`
	_, _ = io.WriteString(w, text) // who has gone misses it
}

// lose ends a request without an answer, mostly at once: the rest is awaited until its client gives up.
func (f *faultyTables) lose(r *http.Request) {
	if f.below(time.Second) < 100*time.Millisecond {
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Second):
		}
	}
	panic(http.ErrAbortHandler)
}

// ask has the engine answer, whether or not anybody waits for it.
func (f *faultyTables) ask(r *http.Request, body []byte) *httptest.ResponseRecorder {
	clone := r.Clone(context.WithoutCancel(r.Context()))
	clone.Body, clone.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	clone.Header.Set("Accept-Encoding", "identity")
	answer := httptest.NewRecorder()
	f.next.ServeHTTP(answer, clone)
	return answer
}

// leftover is where a batch's answer says what was not done.
var leftover = map[string]string{"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}

// shorten takes the last of a batch out of the request and gives it, or has a Query give one item.
func (a asked) shorten(kind string) (left map[string]any) {
	switch kind {
	case shortPage:
		a.input["Limit"] = 1
	case unprocessed:
		left = map[string]any{}
		tables, _ := a.input["RequestItems"].(map[string]any)
		for table, wanted := range tables {
			if writes, ok := wanted.([]any); ok && len(writes) > 1 {
				n := len(writes) - 1
				tables[table], left[table] = writes[:n], writes[n:]
			}
			reads, ok := wanted.(map[string]any)
			if keys, _ := reads["Keys"].([]any); ok && len(keys) > 1 {
				n := len(keys) - 1
				rest := maps.Clone(reads)
				reads["Keys"], rest["Keys"] = keys[:n], keys[n:]
				left[table] = rest
			}
		}
	}
	return left
}

// change changes an answer.
func change(text []byte, how func(map[string]any)) []byte {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var out map[string]any
	if d.Decode(&out) != nil {
		return text
	}
	how(out)
	changed, err := json.Marshal(out)
	if err != nil {
		return text
	}
	return changed
}

// remember keeps what the test needs later: first answers, and messages that are stored.
func (f *faultyTables) remember(a asked, answer *httptest.ResponseRecorder) {
	if answer.Code != http.StatusOK {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	name := a.query()
	if _, known := f.stale[name]; !known && name != "" {
		f.stale[name] = answer.Body.Bytes()
	}
	if key := a.text("Item", "SK"); strings.HasPrefix(key, "M#") {
		f.stored[strings.TrimPrefix(a.text("Item", "PK"), "R#")+" "+strings.TrimLeft(key, "M#0")] = true
	}
}

// first gives the first answer to an equal Query in the place of the present one.
func (f *faultyTables) first(a asked, text []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if first, known := f.stale[a.query()]; known {
		return first
	}
	return text
}

// query names an eventually consistent Query by what it asks for; "": it is none.
func (a asked) query() string {
	if a.operation != "Query" || a.input["ConsistentRead"] == true {
		return ""
	}
	name, _ := json.Marshal([]any{a.input["ExpressionAttributeValues"], a.input["ExclusiveStartKey"], a.input["Limit"]})
	return string(name)
}

// text gives a text of an item in the request.
func (a asked) text(member, attribute string) string {
	item, _ := a.input[member].(map[string]any)
	value, _ := item[attribute].(map[string]any)
	s, _ := value["S"].(string)
	return s
}

// watch stands before @connections: no message is posted before the engine has it.
func (f *faultyTables) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		frame, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(frame))
		var m struct {
			Event, Room string
			Seq         uint64
		}
		if json.Unmarshal(frame, &m) == nil && m.Event == "message" {
			f.mu.Lock()
			if !f.stored[m.Room+" "+strconv.FormatUint(m.Seq, 10)] {
				f.early = append(f.early, string(frame))
			}
			f.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// TestF12_Rehearsal is F12 on the deployment itself: one of five requests of its functions to DynamoDB
// goes wrong. Nothing that was acknowledged is lost, doubled or out of order, and no message is posted
// before it is stored.
func TestF12_Rehearsal(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	f := &faultyTables{dice: newDice(seed), stale: map[string][]byte{}, stored: map[string]bool{}}
	e := testenv.Start(t, "rehearsal", "dynamostore", testenv.Options{Faults: &testenv.Faults{
		Tables: func(next http.Handler) http.Handler {
			f.next = next
			return f
		},
		Posts: f.watch,
	}})
	ta := talkers(t, e, 4, seed)
	ta.until(column(150, 20_000))
	f.heal()
	report := ta.settle()
	ta.verdict(report, f.dice, seed, throughput, throttling, conflict, serverError, timeoutBefore,
		timeoutAfter, unprocessed, shortPage, staleRead, bareRefusal)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.early) > 0 || len(f.stored) < report.Acked {
		t.Errorf("%d messages were posted before they were stored, of %d: %.300q", len(f.early), len(f.stored), f.early)
	}
}
