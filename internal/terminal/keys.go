package terminal

import (
	"bufio"
	"strings"
)

// key is what a person has pressed: a character, or one of the names below.
type key rune

// Keys that are no characters. Those of control characters are the characters themselves.
const (
	keyNone key = -1 - iota
	keyUp
	keyDown
	keyLeft
	keyRight
	keyHome
	keyEnd
	keyDelete
	keyPaste // text that was pasted follows
)

// Control characters that edit, as shells have them.
const (
	ctrlA = 'A' & 0x1f
	ctrlB = 'B' & 0x1f
	ctrlC = 'C' & 0x1f
	ctrlD = 'D' & 0x1f
	ctrlE = 'E' & 0x1f
	ctrlF = 'F' & 0x1f
	ctrlH = 'H' & 0x1f
	ctrlK = 'K' & 0x1f
	ctrlL = 'L' & 0x1f
	ctrlN = 'N' & 0x1f
	ctrlP = 'P' & 0x1f
	ctrlU = 'U' & 0x1f
	ctrlW = 'W' & 0x1f
	del   = 0x7f
)

// sequences are the keys behind ESC [ or ESC O, as xterm and the Linux console send them.
var sequences = map[string]key{
	"A": keyUp, "B": keyDown, "C": keyRight, "D": keyLeft, "H": keyHome, "F": keyEnd,
	"1~": keyHome, "3~": keyDelete, "4~": keyEnd, "7~": keyHome, "8~": keyEnd, "200~": keyPaste,
}

// readKey reads one key.
func readKey(in *bufio.Reader) (key, error) {
	r, _, err := in.ReadRune()
	if err != nil || r != '\x1b' {
		return key(r), err
	}
	r, _, err = in.ReadRune()
	if err != nil || r != '[' && r != 'O' {
		return keyNone, err // with Alt
	}
	var sequence strings.Builder
	for sequence.Len() < 16 {
		if r, _, err = in.ReadRune(); err != nil {
			return keyNone, err
		}
		sequence.WriteRune(r)
		if r >= 0x40 && r <= 0x7e {
			break
		}
	}
	if k, ok := sequences[sequence.String()]; ok {
		return k, nil
	}
	return keyNone, nil
}

// pasteEnd is what a terminal sends behind a pasted text.
const pasteEnd = "\x1b[201~"

// readPaste reads what was pasted, with its line breaks.
func readPaste(in *bufio.Reader) (string, error) {
	var text strings.Builder
	for !strings.HasSuffix(text.String(), pasteEnd) {
		r, _, err := in.ReadRune()
		if err != nil {
			return "", err
		}
		text.WriteRune(r)
	}
	pasted := strings.TrimSuffix(text.String(), pasteEnd)
	pasted = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(pasted)
	return strings.TrimSuffix(Plain(pasted), "\n"), nil
}
