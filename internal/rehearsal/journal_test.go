package rehearsal

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// noon is when the tests' journals are written.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newTestJournal() (*Journal, *bytes.Buffer) {
	var out bytes.Buffer
	return NewJournal(&out, func() time.Time { return noon }), &out
}

// event ends an event of an API with a status.
func event(t *testing.T, j *Journal, id, status string) {
	t.Helper()
	line := fmt.Sprintf(`{"id":%q,"kind":"MESSAGE","route":"send","stage":"prod","connection":"c=","status":%q,`+
		`"message":"-","failure":"-","epoch":"%d"}`+"\n", id, status, noon.Add(-7*time.Millisecond).UnixMilli())
	if _, err := (accessLog{j, "Api"}).Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
}

// A push belongs to the invocation whose trace it carries, however many of the function run; without
// one, to the function's newest; without either, to nobody here.
func TestJournal_Pushed(t *testing.T) {
	t.Parallel()
	j, out := newTestJournal()
	for i := range 2 {
		j.Begin(fmt.Sprintf("event-%d=", i), Call{Function: "Send", ID: fmt.Sprintf("call-%d", i), trace: fmt.Sprintf("1-%d", i)})
	}
	ok := Push{ID: "push-1", Method: http.MethodPost, Connection: "c=", Bytes: 5, Status: http.StatusOK}
	j.Pushed(ok, "1-0", "Send")
	ok.ID = "push-2"
	j.Pushed(ok, "", "Send")
	ok.ID = "push-3"
	j.Pushed(ok, "1-77", "")
	want := "12:00:00.000 event-0=           POST of 5 bytes to connection c=: 200\n" +
		"12:00:00.000 event-1=           POST of 5 bytes to connection c=: 200\n" +
		"12:00:00.000 push-3           POST of 5 bytes to connection c=: 200\n"
	if out.String() != want {
		t.Errorf("printed\n%swant\n%s", out, want)
	}
	for id, entry := range map[string]string{"push-1": "event-0=", "push-2": "event-1=", "call-1": "event-1=", "push-3": "push-3"} {
		if report, ok := j.Find(id); !ok || !strings.HasPrefix(report, entry) {
			t.Errorf("%s leads to %q, want %s", id, report, entry)
		}
	}
}

// An id may be cut off, and must then mean one request alone.
func TestJournal_Find(t *testing.T) {
	t.Parallel()
	j, _ := newTestJournal()
	for _, id := range []string{"abcdef1=", "abcdef2=", "-_xyz123="} {
		event(t, j, id, "200")
	}
	for id, want := range map[string]bool{
		"abcdef1=": true, "abcdef1": true, "abcdef": false, "-_xyz1": true, "-_x": false, "": false, "abcdef3=": false,
	} {
		if _, ok := j.Find(id); ok != want {
			t.Errorf("%q is found: %v, want %v", id, ok, want)
		}
	}
}

// What a journal keeps is bounded: in requests, in bytes of one log and of all, in pushes.
func TestJournal_bounded(t *testing.T) {
	t.Parallel()
	const withLog = (maxEntries + 9) / 7 * 7 // the last one
	j, _ := newTestJournal()
	line := strings.Repeat("x", 16<<10)
	for i := range maxEntries + 10 {
		id := fmt.Sprintf("event-%d=", i)
		j.Begin(id, Call{Function: "Send", ID: fmt.Sprintf("call-%d", i), trace: fmt.Sprintf("1-%d", i)})
		for range 5 * (1 - min(1, i%7)) { // more than is kept, of every seventh
			j.Wrote(fmt.Sprintf("call-%d", i), "Send", line)
		}
		j.End(fmt.Sprintf("call-%d", i), "")
		event(t, j, id, "200")
	}
	if len(j.entries) > maxEntries || j.logs > maxLogs+maxLogBytes {
		t.Errorf("%d entries with %d bytes", len(j.entries), j.logs)
	}
	if len(j.byID) != 2*len(j.entries) || len(j.calls) != 2*len(j.entries) {
		t.Errorf("%d ids and %d calls of %d entries", len(j.byID), len(j.calls), len(j.entries))
	}
	if _, ok := j.Find("event-0="); ok {
		t.Error("the oldest is still there")
	}
	last := fmt.Sprintf("event-%d=", withLog)
	report, _ := j.Find(last)
	if !strings.Contains(report, "(the rest was not kept)") || len(report) > maxLogBytes+10<<10 {
		t.Errorf("the newest has a log of %d bytes", len(report))
	}
	for i := range maxPushes + 5 {
		j.Pushed(Push{ID: fmt.Sprint("push-", i), Status: http.StatusOK}, fmt.Sprintf("1-%d", withLog), "")
	}
	if report, _ = j.Find(last); !strings.Contains(report, "and 5 pushes more") {
		t.Errorf("no word of the pushes that are not listed")
	}
	if _, ok := j.Find(fmt.Sprint("push-", maxPushes)); ok {
		t.Error("the ids of pushes are kept that are not listed")
	}
}

// An event is one line, with what it took and what became of it.
func TestJournal_event(t *testing.T) {
	t.Parallel()
	j, out := newTestJournal()
	j.Begin("event=", Call{Function: "Send", Role: "integration", ID: "call", trace: "1-1"})
	j.Pushed(Push{ID: "p", Method: http.MethodPost, Connection: "gone=", Bytes: 1, Status: 410, Error: "GoneException"}, "1-1", "")
	j.Figured("call", "12 ms")
	j.End("call", "")
	event(t, j, "event=", "200")
	want := "12:00:00.000 event=           MESSAGE send → Send: 200 in 7 ms, connection c=, 1 push (1 failed)\n"
	if _, last, _ := strings.Cut(out.String(), "\n"); strings.Join(strings.Fields(last), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("printed %q, want %q", last, want)
	}
	report, _ := j.Find("event=")
	const wantReport = `event=  MESSAGE, 2026-11-21 12:00:00.000
  route       send of Api/prod
  connection  c=
  result      200 in 7 ms

  integration Send, Lambda's request call
    12 ms
    12:00:00.000 POST of 1 byte to connection gone=: 410 GoneException
      the connection is closed, or its $connect has not returned yet: on AWS too nothing can be posted before that
`
	if report != wantReport {
		t.Errorf("why says\n%swant\n%s", report, wantReport)
	}
}

// What programs and clients write cannot act on a terminal.
func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain é 🙂": "plain é 🙂", "a\x1b[31mb": "a\ufffd[31mb", "a\nb\rc": "a\ufffdb\ufffdc", "a\u202eb": "a\ufffdb",
		"a\u2028b": "a\ufffdb", "a\tb": "a b", "\x9b": "\ufffd",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) is %q, want %q", in, got, want)
		}
	}
}
