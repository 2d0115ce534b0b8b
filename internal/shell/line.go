package shell

import (
	"fmt"
	"io"

	"github.com/confab-chat/confab/client"
)

// Notices is where commands say what is beside the matter, as that the line is down.
type Notices struct{ Out io.Writer }

func (n Notices) say(format string, args ...any) {
	fmt.Fprintf(n.Out, "confab: "+format+"\n", args...)
}

// watch tells people about the line.
type watch struct {
	say  func(format string, args ...any)
	lost bool
}

// take says what an event means for the line, and tells whether that was its matter.
func (w *watch) take(e client.Event) bool {
	switch e := e.(type) {
	case client.Disconnected:
		w.lost = true
		w.say("the line is down (%s); connecting again", reason(e.Err))
	case client.Connected:
		if w.lost {
			w.say("the line is up again")
		}
		w.lost = false
	default:
		return false
	}
	return true
}
