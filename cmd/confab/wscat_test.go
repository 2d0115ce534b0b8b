package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// wscat is a running wscat. Without a terminal it prints each frame as a line after its prompt.
type wscat struct {
	tb     testing.TB
	stdin  io.Writer
	frames chan string
}

// startWscat connects by wscat and returns when it is connected.
func startWscat(tb testing.TB, url string, options ...string) *wscat {
	tb.Helper()
	program := tools.Path(tb, "node/node_modules/.bin/wscat")
	args := append([]string{program, "--no-color", "-c", url}, options...)
	cmd := exec.Command(tools.Program(tb, "node"), args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	w := &wscat{tb: tb, stdin: stdin, frames: make(chan string, 1000)}
	tb.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended with its connection
		for range w.frames {
		}
		_ = cmd.Wait() // killed
	})
	go func() {
		defer close(w.frames)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if frame := strings.TrimLeft(lines.Text(), "> "); frame != "" {
				w.frames <- frame
			}
		}
	}()
	w.awaitConnection()
	return w
}

// awaitConnection types until something comes: what is typed before is not sent. Every dialect refuses
// what is typed.
func (w *wscat) awaitConnection() {
	w.tb.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); {
		w.enter(`{"action":"sendMessage","id":"ready"}`)
		select {
		case <-w.frames:
			w.enter(`{"action":"sendMessage","id":"now"}`)
			w.await(`"id":"now"`)
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	w.tb.Fatal("wscat does not connect")
}

// enter types a line.
func (w *wscat) enter(line string) {
	w.tb.Helper()
	if _, err := fmt.Fprintln(w.stdin, line); err != nil {
		w.tb.Fatal(err)
	}
}

// await gives the next frame that has the text.
func (w *wscat) await(text string) string {
	w.tb.Helper()
	timeout := time.After(limit)
	var others []string
	for {
		select {
		case frame, ok := <-w.frames:
			if !ok {
				w.tb.Fatalf("wscat has ended, no %s came", text)
			}
			if strings.Contains(frame, text) {
				return frame
			}
			others = append(others, frame)
		case <-timeout:
			w.tb.Fatalf("no %s came, but:\n%s", text, strings.Join(others, "\n"))
		}
	}
}

// TestWscat_Conversation lets two terminals talk in the lobby and in a room, ends the server by
// kill -9 and finds the history after the next start.
func TestWscat_Conversation(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := sim.ServeAt(t, sim.FreeAddr(t), "--data", data)
	alice := startWscat(t, server.URL()+"?name=alice")
	bob := startWscat(t, server.URL()+"?name=bob")
	alice.enter(`{"action":"sendMessage","id":"m1","message":"hello"}`)
	bob.enter(`{"action":"joinRoom","id":"j1","room":"tea"}`)
	bob.await(`"event":"joined"`)
	alice.enter(`{"action":"joinRoom","id":"j2","room":"tea"}`)
	alice.await(`"event":"joined"`)
	bob.enter(`{"action":"sendMessage","id":"m2","room":"tea","message":"milk?"}`)
	for _, w := range []*wscat{alice, bob} {
		w.await(`"message":"milk?"`)
	}
	bob.enter(`{"action":"sendMessage","id":"m3","message":"hello alice"}`)
	last := alice.await(`"message":"hello alice"`)
	if !strings.Contains(last, `"room":"lobby","seq":2,`) || !strings.Contains(last, `"from":"bob"`) {
		t.Errorf("alice got %s", last)
	}

	server.Kill()
	server = sim.Serve(t, "--addr", server.Addr, "--data", data)
	bob = startWscat(t, server.URL()+"?name=bob")
	bob.enter(`{"action":"history","id":"q1","room":"lobby","after":0}`)
	compareTexts(t, bob.await(`"id":"q1"`), "alice: hello", "bob: hello alice")
	bob.enter(`{"action":"history","id":"q2","room":"tea","after":0}`)
	compareTexts(t, bob.await(`"id":"q2"`), "bob: milk?")
}

// compareTexts compares the messages of a history, each as `sender: text`.
func compareTexts(t *testing.T, frame string, want ...string) {
	t.Helper()
	var history struct {
		Messages []struct{ From, Message string }
	}
	if err := json.Unmarshal([]byte(frame), &history); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range history.Messages {
		got = append(got, m.From+": "+m.Message)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("history %q, want %q", got, want)
	}
}

// TestWscat_README types what README.md prints of a conversation from a terminal.
func TestWscat_README(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tools.Root(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text2, found := strings.Cut(string(text), "## From a terminal\n")
	section, _, _ := strings.Cut(text2, "\n## ")
	urls := regexp.MustCompile(`(?m)^npx wscat -c "ws://127\.0\.0\.1:8080(/\S+)"$`).FindAllStringSubmatch(section, -1)
	if !found || len(urls) != 2 {
		t.Fatalf("README.md, From a terminal, has %d wscat commands, want 2", len(urls))
	}
	server := sim.Serve(t, "--addr", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "data"))
	alice := startWscat(t, "ws://"+server.Addr+urls[0][1])
	bob := startWscat(t, "ws://"+server.Addr+urls[1][1])
	id := regexp.MustCompile(`"id":"[^"]+"`)
	for _, frame := range regexp.MustCompile(`(?m)^\{"action".*\}$`).FindAllString(section, -1) {
		alice.enter(frame)
		answer := alice.await(id.FindString(frame))
		if strings.Contains(answer, `"event":"error"`) {
			t.Errorf("%s is answered %s", frame, answer)
		}
		if strings.Contains(frame, "hello") {
			printed := regexp.MustCompile(`(?m)^< (.*)$`).FindStringSubmatch(section)[1]
			pattern := strings.ReplaceAll(regexp.QuoteMeta(printed), "…", `[^"]+`)
			if !regexp.MustCompile("^" + pattern + "$").MatchString(answer) {
				t.Errorf("alice got %s, README.md prints %s", answer, printed)
			}
			if got := bob.await(`"message":"hello"`); got != answer {
				t.Errorf("bob got %s, alice %s", got, answer)
			}
		}
		if strings.Contains(frame, `"action":"history"`) {
			compareTexts(t, answer, "alice: milk?")
		}
	}
	if direct := bob.await("just between us"); !strings.Contains(direct, `"from":"alice"`) {
		t.Errorf("bob got %s", direct)
	}
}
