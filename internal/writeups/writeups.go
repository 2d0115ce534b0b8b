// Package writeups has the chats of public write-ups as they stand in their texts, for tests: two of
// the five have all their functions in it. What such a text sets up by hand, or has lost in print, is
// added here.
package writeups

import (
	"os"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// read gives the text of a write-up, with the line breaks of this system's tests.
func read(tb testing.TB, number int) string {
	tb.Helper()
	text, err := os.ReadFile(tools.WriteUp(tb, number))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}
