//go:build unix

package doctor

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"
)

// fewFiles is a limit of open files below which a busy server may meet it.
const fewFiles = 4096

// ownFiles is what the server has open beside its connections: data, listeners, log, about.
const ownFiles = 64

// openFiles looks at how many files, and so connections, one process may have open. Go raises the
// soft limit to the hard one when a program starts, so that is the one that counts.
func openFiles(context.Context, Config) Finding {
	f := Finding{Check: "open files", Verdict: OK}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		f.Verdict, f.Text = Fail, err.Error()
		return f
	}
	return f.judgeFiles(uint64(limit.Max)) //nolint:unconvert // signed on FreeBSD
}

func (f Finding) judgeFiles(most uint64) Finding {
	f.Text = fmt.Sprintf("%d, so about %d connections", most, most-min(most, ownFiles))
	if most < fewFiles {
		f.Verdict = Warn
		f.Text += ": raise it with `ulimit -Hn`, or LimitNOFILE= of the service"
	}
	return f
}

func freeBytes(folder string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:unconvert // signed on some systems
}
