package auth

import (
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/tools"
)

func TestCleanHandle(t *testing.T) {
	for _, good := range []string{"alice", "Bob", "c3po", "dan.smith", "eve_2", "f-g", "ab", "x" + strings.Repeat("y", 31)} {
		if got, err := CleanHandle(good); err != nil || got != good {
			t.Errorf("%q: got %q, %v", good, got, err)
		}
	}
	for _, bad := range []string{
		"", "a", "x" + strings.Repeat("y", 32), "1alice", ".alice", "-alice", "al ice", "alice\n", "ali/ce",
		"<b>alice", "álice", "аlice", "alice\u200b", "\u202ealice", "ａlice", "alice,bob", "@alice",
	} {
		if _, err := CleanHandle(bad); !chat.Is(err, chat.Invalid) {
			t.Errorf("%q: got %v, want %q", bad, err, chat.Invalid)
		}
	}
}

// TestCleanHandle_reserved tries names that speak for the server, as they are and disguised.
func TestCleanHandle_reserved(t *testing.T) {
	if len(reserved) < 100 {
		t.Errorf("%d reserved names, want at least 100", len(reserved))
	}
	disguise := []*strings.Replacer{
		strings.NewReplacer(), strings.NewReplacer("o", "0"), strings.NewReplacer("l", "1"),
		strings.NewReplacer("i", "l"), strings.NewReplacer("i", "1"), strings.NewReplacer("m", "rn"),
		strings.NewReplacer("w", "vv"), strings.NewReplacer("a", "A", "e", "E", "o", "O"),
		strings.NewReplacer("e", "e."), strings.NewReplacer("s", "s-"), strings.NewReplacer("n", "_n"),
	}
	for _, name := range reserved {
		for _, d := range disguise {
			if _, err := CleanHandle(d.Replace(name)); !chat.Is(err, chat.Invalid) {
				t.Errorf("%q, as %q, is accepted", d.Replace(name), name)
			}
		}
	}
	for _, guest := range []string{"guest-abcdef", "Guest-1", "guest.x", "GUEST_Y"} {
		if _, err := CleanHandle(guest); !chat.Is(err, chat.Invalid) {
			t.Errorf("%q, as a guest's name, is accepted", guest)
		}
	}
}

// TestCleanHandle_naughty accepts of the naughty strings only what the rule allows by its letters.
func TestCleanHandle_naughty(t *testing.T) {
	for _, s := range tools.NaughtyStrings(t) {
		handle, err := CleanHandle(s)
		if err == nil && strings.ContainsFunc(handle, func(r rune) bool { return r > '~' || strings.ContainsRune(` <>&"'/\%$@,;:`, r) }) {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestHandleKey(t *testing.T) {
	for _, same := range [][]string{
		{"alice", "Alice", "ALICE", "a1ice", "aIice", "al1ce", "a-lice", "a.l.i.c.e"},
		{"modern", "m0dem", "MODERN", "rnodern"},
		{"will", "vvill", "Wi11"},
	} {
		for _, s := range same[1:] {
			if HandleKey(s) != HandleKey(same[0]) {
				t.Errorf("%q has another key than %q", s, same[0])
			}
		}
	}
	if HandleKey("alice") == HandleKey("alicia") {
		t.Error("alice and alicia have one key")
	}
}
