package testenv_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// TestLounge_TwoTabs: a user comes with two devices at once, and both go at once. The others are told
// of one coming and one going.
func TestLounge_TwoTabs(t *testing.T) {
	const users = 8
	testenv.Each(t, testenv.Options{}, func(t *testing.T, e *testenv.Env) {
		watch := enter(t, e, 0, "Watch")
		heard := map[string]int{}
		await := func(text string) {
			t.Helper()
			for heard[text] == 0 {
				heard[watch.Next().Raw]++
			}
		}
		for n := range users {
			user := fmt.Sprintf("tab%d", n)
			tabs := make(chan *testenv.Client, 2)
			for range cap(tabs) {
				go func() {
					var c *testenv.Client
					defer func() { tabs <- c }()
					c = dialAs(t, e, lounge, user)
				}()
			}
			one, two := <-tabs, <-tabs
			if one == nil || two == nil {
				return // as the test log says
			}
			await(fmt.Sprintf(`{"systemMessage":"%s has joined the chat"}`, user))
			one.Kill()
			two.Kill()
			await(fmt.Sprintf(`{"systemMessage":"%s has left the chat"}`, user))
		}
		watch.Send(`{"action":"sendPublic","message":"that was all"}`)
		await(`{"publicMessage":"Watch: that was all"}`)
		for text, times := range heard {
			if strings.Contains(text, "systemMessage") && times != 1 {
				t.Errorf("%d times: %s", times, text)
			}
		}
		if len(heard) < 2*users {
			t.Errorf("heard %d things, want at least %d", len(heard), 2*users)
		}
	})
}
