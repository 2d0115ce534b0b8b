//go:build unix

package sqlitestore_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// TestStore_diskFails has a write fail in another way than for want of room, in a process of its own.
func TestStore_diskFails(t *testing.T) {
	if dir := os.Getenv("CONFAB_DISK_FAILS"); dir != "" {
		failingDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStore_diskFails$")
	cmd.Env = append(os.Environ(), "CONFAB_DISK_FAILS="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// failingDisk lets no file grow beyond a size: write then fails with EFBIG.
func failingDisk(t *testing.T, dir string) {
	fatal := make(chan error, 1)
	s, err := sqlitestore.Open(dir, sqlitestore.Options{OnFatal: func(err error) { fatal <- err }})
	ok(t, err)
	send(t, s, "lobby", "ann", "0", "stored")
	signal.Ignore(syscall.SIGXFSZ)
	const limit = 512 << 10
	ok(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit}))

	acked := uint64(1)
	for err == nil {
		d := chat.Draft{Room: "lobby", From: "ann", ID: fmt.Sprint(acked), At: time.Now()}
		d.Text = strings.Repeat("x", 9000)
		if _, err = s.Append(t.Context(), d, func(chat.Head, chat.Message) {}); err == nil {
			acked++
		}
	}
	wantKind(t, err, chat.Unknown)
	select {
	case <-fatal:
	case <-time.After(time.Minute): // it is called at once
		t.Error("OnFatal was not called")
	}
	d := chat.Draft{Room: "lobby", From: "ann", ID: "later", Text: "x", At: time.Now()}
	_, err = s.Append(t.Context(), d, func(chat.Head, chat.Message) { t.Error("then was called") })
	wantKind(t, err, chat.Unavailable)
	p, err := s.Messages(t.Context(), "lobby", chat.Range{Limit: 200})
	ok(t, err)
	if p.Head.Seq != acked {
		t.Errorf("the head is %d, want the %d that were acknowledged", p.Head.Seq, acked)
	}
	ok(t, s.Close())
}
