// Package doctor looks at a machine and a server as an operator would: is the disk fast and roomy
// enough, may enough connections be open, and does the public address lead to the chat.
package doctor

import (
	"context"
	"fmt"
	"io"
)

// Verdict is how a finding is to be taken.
type Verdict string

// The verdicts, from good to bad.
const (
	OK   Verdict = "ok"   // as it should be
	Warn Verdict = "warn" // it works, and something should be done
	Fail Verdict = "fail" // it does not work
)

// Finding is what one check found.
type Finding struct {
	Check   string
	Verdict Verdict
	Text    string // what was seen, and what to do if it is not OK
}

// Config says what is looked at.
type Config struct {
	Data  string // the data folder; need not exist yet
	URL   string // http or https, where people reach the server
	Stage string
}

// Examine makes every check, prints each finding as a line as soon as it is there, and tells
// whether none has failed.
func Examine(ctx context.Context, c Config, out io.Writer) (healthy bool, err error) {
	healthy = true
	for _, check := range []func(context.Context, Config) Finding{space, syncing, openFiles, reach} {
		f := check(ctx, c)
		if _, err := fmt.Fprintf(out, "%-4s  %-10s  %s\n", f.Verdict, f.Check, f.Text); err != nil {
			return false, err
		}
		healthy = healthy && f.Verdict != Fail
	}
	return healthy, ctx.Err()
}
