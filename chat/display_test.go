package chat_test

import (
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
)

func TestCleanDisplay(t *testing.T) {
	for display, want := range map[string]string{
		"Alice": "Alice", "Alice O'Hara": "Alice O'Hara", "J. R. R. T.": "J. R. R. T.", "Zoë": "Zoë", "Zoe\u0308": "Zoë",
		"Ольга Ивановна": "Ольга Ивановна", "山田 太郎": "山田 太郎", "Anne-Marie 2": "Anne-Marie 2", strings.Repeat("a", 64): strings.Repeat("a", 64),
	} {
		if got, err := chat.CleanDisplay(display); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", display, got, err, want)
		}
	}
	for _, display := range []string{
		"", " ", "'", "' '", " a", "a ", "'a", "a'", "a  b", strings.Repeat("a", 65), "a\u00a0b", "a\tb", "a\nb", "a\x00b",
		"Alice: hi", "<b>", "a/b", "@alice", "аlice", "Alice Иванова", "a\u202eb", "a\u200bb", "a\ufe0fb", "𝐀lice", "\u0301a",
		"a \u0301b", "\xff", "✓ Alice", "Alice ✓", "😀",
	} {
		if got, err := chat.CleanDisplay(display); !chat.Is(err, chat.Invalid) {
			t.Errorf("%q: got %q, %v, want Invalid", display, got, err)
		}
	}
}
