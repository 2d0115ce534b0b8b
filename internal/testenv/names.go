package testenv

import (
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// names make those of users and rooms that a test uses its own on a stage that others use too, and have
// used: what goes out gets a suffix, and what comes in loses it.
type names struct{ suffix string }

// using are the names of the test that has the stage; nil: none has.
var using atomic.Pointer[names]

var (
	// named are the members of actions, in any dialect, that name a user or a room.
	named = regexp.MustCompile(
		`"(room|to|user|name|after|send_to|sent_by|send_by)":(\s*)"([^"\\]+)"`)
	// resumed are the rooms that hello names.
	resumed = regexp.MustCompile(`"([^"\\]+)":\{"epoch":`)
	// plain is a name as tests use them, if it is nobody's whom the server has named.
	plain = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]*$`)
	guest = regexp.MustCompile(`^guest-[a-z0-9]{6}$`)
)

// own gives a name as the stage has it.
func (n *names) own(name string) string {
	if n == nil || strings.EqualFold(name, "lobby") || guest.MatchString(name) {
		return name
	}
	if a, b, direct := strings.Cut(strings.TrimPrefix(name, "@"), ","); direct && name[0] == '@' {
		return "@" + n.own(a) + "," + n.own(b)
	}
	if !plain.MatchString(name) {
		return name
	}
	return name + n.suffix
}

// out gives an action as the stage is to get it.
func (n *names) out(frame string) string {
	if n == nil {
		return frame
	}
	frame = named.ReplaceAllStringFunc(frame, func(member string) string {
		m := named.FindStringSubmatch(member)
		return `"` + m[1] + `":` + m[2] + `"` + n.own(m[3]) + `"`
	})
	return resumed.ReplaceAllStringFunc(frame, func(member string) string {
		return `"` + n.own(resumed.FindStringSubmatch(member)[1]) + `":{"epoch":`
	})
}

// in gives a frame as the test is to see it.
func (n *names) in(frame []byte) []byte {
	if n == nil {
		return frame
	}
	return []byte(strings.ReplaceAll(string(frame), n.suffix, ""))
}

// A connection's actions in the template's default: 10 a second, 20 at once. A client stays below it.
const (
	stageGap   = time.Second / 8
	stageBurst = 12
)

// pace waits until the connection may send its next action.
func (n *names) pace(c *Client) {
	if n == nil {
		return
	}
	c.mu.Lock()
	now := time.Now()
	if earliest := now.Add(-stageBurst * stageGap); c.due.Before(earliest) {
		c.due = earliest
	}
	c.due = c.due.Add(stageGap)
	wait := c.due.Sub(now)
	c.mu.Unlock()
	time.Sleep(wait)
}
