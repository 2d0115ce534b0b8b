package stack_test

import (
	"encoding/json"
	"testing"

	"github.com/confab-chat/confab/stack"
)

// TestGW97_AtTheSocket has a function at its limit of concurrency look like one that fails.
func TestGW97_AtTheSocket(t *testing.T) {
	t.Parallel()
	s, _ := newShape(t, "sam")
	s.Function("TakeFunction").Lambda.Concurrency = -1 // no event at once, as 0 in a template
	_, url := deploy(t, s, stack.Target{})
	c, status := dial(t, url+"/live")
	if status != 101 {
		t.Fatalf("the handshake is answered %d", status)
	}
	var frame struct{ Message, ConnectionID, RequestID string }
	answer := ask(t, c, `{"action":"takeSeat","seat":34}`)
	if err := json.Unmarshal([]byte(answer), &frame); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	if frame.Message != "Internal server error" || frame.ConnectionID == "" || frame.RequestID == "" {
		t.Errorf("the answer is %s", answer)
	}
}
