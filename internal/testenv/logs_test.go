package testenv_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/testenv"
)

// notebook is a log that several goroutines write.
type notebook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (n *notebook) Write(line []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(line)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// TestLogs_KeepSecrets looks for what clients said, and for what their URLs and headers had, in all that
// is logged, even while things fail.
func TestLogs_KeepSecrets(t *testing.T) {
	for _, c := range testenv.Combinations {
		t.Run(c.Host+"+"+c.Store, func(t *testing.T) {
			t.Parallel()
			var book notebook
			var broken atomic.Pointer[error]
			options := onceInOrder
			options.Log = &book
			options.WrapLog = func(l chat.Log) chat.Log { return failing{l, &broken} }
			e := testenv.Start(t, c.Host, c.Store, options)

			handshake(t, e.URL(0, "canary-name")+"&token=canary-query", http.Header{
				"Cookie": {"session=canary-cookie"}, "Authorization": {"Bearer canary-header"},
			})
			handshake(t, e.URL(0, "")+"?name=canary%20refused", nil)
			for _, dialect := range []string{"native", broadcast, directory, direct, lounge} {
				a := testenv.DialDialect(t, e.URL(0, "bob")+"&token=canary-query&dialect="+dialect, dialect)
				for _, frame := range []string{
					`{"action":"sendMessage","message":"canary-text"}`, `{"action":"sendPublic","message":"canary-text"}`,
					`{"action":"send","message":"canary-text","send_to":"bob","sent_by":"bob"}`,
					`canary-text`, `{"action":"canary-text"}`, `{"canary-text":"canary-text"`,
				} {
					a.Send("%s", frame)
				}
				a.Rest()
				fault := errors.New("the fault of this test")
				broken.Store(&fault)
				a.Send(`{"action":"sendMessage","id":"m1","message":"canary-text"}`)
				a.Send(`{"action":"send","id":"m2","message":"canary-text","send_to":"bob","sent_by":"bob"}`)
				a.Rest()
				broken.Store(nil)
				a.Kill()
			}
			awaitConnections(t, e, 0)
			e.Stop()
			logged := book.String()
			if !strings.Contains(logged, "the fault of this test") {
				t.Errorf("the fault is not logged:\n%s", logged)
			}
			for line := range strings.Lines(logged) {
				if strings.Contains(line, "canary") {
					t.Errorf("logged: %s", line)
				}
			}
		})
	}
}
