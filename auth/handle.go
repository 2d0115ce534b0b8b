package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// MaxHandle is how long a handle may be, in bytes.
const MaxHandle = 32

// HandleRule is the rule for handles, for people.
const HandleRule = "2 to 32 of the letters a to z and A to Z, digits, '-', '_' and '.', " +
	"beginning with a letter"

// CleanHandle checks a handle that somebody wants: ASCII alone, so that no two handles differ by
// letters that look alike in other alphabets (threats: Unicode TS 39), and none that pretends to
// speak for the server. It is chat.Invalid with the field "handle".
func CleanHandle(handle string) (string, error) {
	if len(handle) < 2 || len(handle) > MaxHandle || !isLetter(handle[0]) {
		return "", badHandle()
	}
	for i := range len(handle) {
		c := handle[i]
		if !isLetter(c) && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return "", badHandle()
		}
	}
	key := HandleKey(handle)
	if _, taken := slices.BinarySearch(reservedKeys, key); taken || strings.HasPrefix(key, guestKey) {
		return "", chat.BadField("handle", "handle: %s is reserved, choose another", handle)
	}
	return handle, nil
}

// CheckDisplay tells whether an account may be shown as that beside its handle: not as the handle of
// another account, or as somebody who speaks for the server, nor as what looks like one of these.
// Taken and chat.Invalid say otherwise.
func (s *Service) CheckDisplay(ctx context.Context, handle, display string) error {
	key := HandleKey(strings.NewReplacer(" ", "", "'", "").Replace(display))
	own := HandleKey(handle)
	if _, reserved := slices.BinarySearch(reservedKeys, key); reserved && key != own {
		return chat.BadField("name", "name: %s is reserved, choose another", display)
	}
	a, err := s.store.AccountByHandle(ctx, key)
	switch {
	case chat.Is(err, chat.NotFound):
		return nil
	case err == nil && HandleKey(a.Handle) != own:
		return chat.E(chat.Taken, "the name %s is too much like the handle %s", display, a.Handle)
	}
	return err
}

func badHandle() error { return chat.BadField("handle", "handle: want %s", HandleRule) }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// lookalikes turns characters into the ones that they can be taken for: those of Unicode's
// confusables.txt (TS 39, version 16) within ASCII letters and digits, after folding the case, and
// i as l, because I and l are alike; vv as w. Separators do not count.
var lookalikes = strings.NewReplacer(
	"0", "o", "1", "l", "i", "l", "m", "rn", "w", "vv", "-", "", "_", "", ".", "",
)

// HandleKey gives what two handles that could be taken for one another have in common.
func HandleKey(handle string) string { return lookalikes.Replace(chat.Fold(handle)) }

var guestKey = HandleKey(GuestPrefix)

// reserved are handles that would speak for the server, or for everybody, or that programs take for
// something else.
var reserved = []string{
	"about", "abuse", "account", "accounts", "admin", "administrator", "admins", "all", "alert",
	"anonymous", "anyone", "api", "audit", "auth", "automod", "backup", "billing", "bot",
	"broadcast", "channel", "chat", "confab", "connect", "contact", "daemon", "default",
	"deleted", "deny", "dev", "device", "direct", "directory", "everybody", "everyone", "false",
	"feedback", "guest", "guests", "help", "here", "host", "hostmaster", "info", "invite", "join",
	"link", "lobby", "localhost", "login", "logout", "lounge", "mail", "me", "member", "members",
	"mod", "moderator", "moderators", "myself", "nan", "native", "nobody", "none", "notice",
	"notification", "null", "official", "online", "operator", "operators", "owner", "owners",
	"password", "postmaster", "presence", "privacy", "prod", "production", "public", "register",
	"removed", "room", "rooms", "root", "security", "self", "server", "service", "session",
	"settings", "signin", "signup", "staff", "status", "superuser", "support", "sysadmin",
	"system", "team", "test", "true", "trust", "undefined", "unknown", "user", "users",
	"verified", "verify", "void", "webmaster", "you",
}

var reservedKeys = keysOf(reserved)

func keysOf(handles []string) []string {
	keys := make([]string, len(handles))
	for i, h := range handles {
		keys[i] = HandleKey(h)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
