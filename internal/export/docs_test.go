package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// TestDocs reads the lines of docs/export.md, and wants every type to be among them and in its table.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(tools.Root(), "docs", "export.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	example, table, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/export.md has no example")
	}
	shown := map[string]bool{}
	for line := range strings.Lines(example) {
		m, err := parse([]byte(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		shown[m.kind] = true
		switch m.kind {
		case typeHeader:
			err = readHeader([]byte(line))
		case typeEnd:
			m.number("lines")
			err = m.finish()
		default:
			_, err = m.record()
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, kind := range []string{
		typeRoom, typeUser, typeDisplay, typeMember, typeRead, typeAccount, typeSession, typeAudit, typeMessage,
	} {
		if !strings.Contains(table, "\n| `"+kind+"` | ") {
			t.Errorf("the table has no %s", kind)
		}
		if !shown[kind] && kind != typeSession { // it is written where it is asked for alone
			t.Errorf("the example has no %s", kind)
		}
	}
}
