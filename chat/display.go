package chat

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxDisplay is the longest display name, in bytes of NFC.
const MaxDisplay = 64

// DisplayRule is the rule for display names, for people.
const DisplayRule = "1 to 64 bytes of letters, digits, single blanks, '-', '_', '.' and \"'\", " +
	"all letters of one script"

// CleanDisplay gives what somebody wants to be shown as beside their name, in NFC, or Invalid with
// the field "name". It is a name by CleanName's rules for letters, with blanks and apostrophes
// between them.
func CleanDisplay(display string) (string, error) {
	bad := BadField("name", "name: want %s", DisplayRule)
	if !utf8.ValidString(display) || len(display) > 4*MaxDisplay {
		return "", bad
	}
	display = norm.NFC.String(display)
	words := strings.FieldsFunc(display, isBetween)
	together := strings.Join(words, "")
	ends := strings.Trim(display, " '") != display || strings.Contains(display, "  ")
	if len(display) == 0 || len(display) > MaxDisplay || ends || together == "" ||
		!onlyNameRunes(together) || mixesScripts(together) {
		return "", bad
	}
	for _, word := range words { // none begins with a mark, which would be over a blank
		if first, _ := utf8.DecodeRuneInString(word); unicode.Is(unicode.M, first) {
			return "", bad
		}
	}
	return display, nil
}

// isBetween tells whether a character may stand between the letters of a display name, and not
// within a name.
func isBetween(r rune) bool { return r == ' ' || r == '\'' }

// SetDisplay sets what the caller, who has signed in, is shown as beside its name, and gives it; the
// name itself takes it away. Whether it could be taken for somebody else is the caller's to check.
func (s *Service) SetDisplay(ctx context.Context, c Connection, display string) (string, error) {
	clean, err := CleanDisplay(display)
	if err != nil {
		return "", err
	}
	if Fold(clean) == Fold(c.User) {
		clean = ""
	}
	return clean, s.log.SetDisplay(ctx, c.User, clean)
}

// Displays gives what users are shown as beside their names; those who have nothing are absent.
func (s *Service) Displays(ctx context.Context, users []string) (map[string]string, error) {
	return s.log.Displays(ctx, users)
}

// shown completes a list of people.
func (s *Service) shown(ctx context.Context, people []Person) ([]Person, error) {
	users := make([]string, len(people))
	for i, p := range people {
		users[i] = p.User
	}
	displays, err := s.log.Displays(ctx, users)
	for i, p := range people {
		people[i].Name = displays[p.User]
	}
	return people, err
}
