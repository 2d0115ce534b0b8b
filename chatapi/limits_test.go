package chatapi_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// The limits of the domain are those of the public document.
func TestLimits_AreDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		limit int
		says  string
	}{
		{chat.MaxText, "| text of a message | 1 to 16,384 bytes"},
		{chat.MaxName, "64 bytes"},
		{chat.MaxID, "| `id` | 1 to 64 bytes |"},
		{chat.MaxPage, "200 items"},
	} {
		if !strings.Contains(strings.ReplaceAll(row.says, ",", ""), fmt.Sprint(row.limit)) {
			t.Errorf("the limit is %d now, and the document says %q", row.limit, row.says)
		}
		if !strings.Contains(string(document), row.says) {
			t.Errorf("the document does not say %q", row.says)
		}
	}
}
