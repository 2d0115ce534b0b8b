package testenv_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// once is for tests that name numbers: a repeated event may cost a number, which becomes a void.
var once = testenv.Options{DoubleOneIn: -1}

// inOrder is for tests that name each frame of several connections.
var inOrder = testenv.Options{OneByOne: true}

// alone is for tests that list all rooms or all users.
var alone = testenv.Options{DoubleOneIn: -1, Own: true}

// lobby gives the number of the lobby's last message: 0, but on a stage that others have used.
func lobby(t *testing.T, e *testenv.Env) uint64 {
	t.Helper()
	heads, err := e.Log.Heads(t.Context(), []string{chat.Lobby})
	if err != nil {
		t.Fatal(err)
	}
	if len(heads) == 0 {
		return 0
	}
	return heads[0].Seq
}

// TestMain fails when goroutines are left. The client of DynamoDB Local keeps idle connections for a
// second, longer than goleak waits by itself.
func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Clean()
	leaked := goleak.Find()
	for deadline := time.Now().Add(30 * time.Second); leaked != nil && time.Now().Before(deadline); {
		leaked = goleak.Find()
	}
	if code == 0 && leaked != nil {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	os.Exit(code)
}

// quiet tells that a client got no frame that fits.
func quiet(t *testing.T, c *testenv.Client, what string, fits func(testenv.Frame) bool) {
	t.Helper()
	c.Sync()
	for _, f := range c.All() {
		if fits(f) {
			t.Errorf("%s got %s: %s", c.User, what, f.Raw)
		}
	}
}

// refused awaits the error that answers an action and checks its members.
func refused(t *testing.T, c *testenv.Client, code, id, action string, args ...any) testenv.Frame {
	t.Helper()
	return c.Do(id, action, args...).Is(t,
		`{"event":"error","id":%q,"code":%q,"message":"$any","requestId":"$any"}`, id, code)
}

// event tells whether a frame is that event of that room.
func event(name, room string) func(testenv.Frame) bool {
	return func(f testenv.Frame) bool { return f.Event == name && f.Room == room }
}

// message tells whether a frame is a message of that room with that text.
func message(room, text string) func(testenv.Frame) bool {
	return func(f testenv.Frame) bool {
		return f.Event == "message" && f.Room == room && f.Message == text
	}
}

// fill says n messages "text 1" to "text n" in a room.
func fill(c *testenv.Client, room string, n int) {
	for i := 1; i <= n; i++ {
		c.Say(room, fmt.Sprintf("fill-%s-%d", room, i), fmt.Sprintf("text %d", i))
	}
}

// item types the message of a history as fill said it.
func item(room, from string, n int) string {
	return fmt.Sprintf(`{"room":%q,"seq":%d,"epoch":"$any","id":"fill-%s-%d","from":%q,"message":"text %d","at":"$at"}`,
		room, n, room, n, from, n)
}

// namesField tells that an error's message names a field.
func namesField(t *testing.T, f testenv.Frame, field string) {
	t.Helper()
	if text, _ := f.Fields["message"].(string); !strings.Contains(text, field) {
		t.Errorf("the error does not name %s: %s", field, f.Raw)
	}
}
