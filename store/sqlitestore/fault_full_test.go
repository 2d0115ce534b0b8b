//go:build !race && linux

package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/store/sqlitestore"
)

var tbContext = context.Background()

// smallDisk mounts a tmpfs.
func smallDisk(tb testing.TB, size string) string {
	tb.Helper()
	dir := tb.TempDir()
	ok(tb, unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size))
	tb.Cleanup(func() { ok(tb, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// TestF3_DiskFull is F3: a small disk fills up under 8 writers and is freed again.
func TestF3_DiskFull(t *testing.T) {
	if os.Geteuid() != 0 { // only root may mount, if only in a namespace of its own
		front := []string{tools.Program(t, "unshare"), "--user", "--map-root-user", "--mount"}
		ok(t, child(t, "TestF3_DiskFull", nil, front, func(line string) { fmt.Println(line) }))
		return
	}
	disk := smallDisk(t, "100m")
	s := open(t, filepath.Join(disk, "data"), sqlitestore.Options{
		OnFatal: func(err error) { t.Errorf("OnFatal: %v", err) },
	}.KeepYoung(100))
	run := fullDisk{TB: t, s: s, disk: disk, text: strings.Repeat("z", 2000)}
	for cycle := range faults(3, 20) {
		run.cycle(cycle)
	}
	before := run.log()
	ok(t, s.Close())
	ok(t, sqlitestore.Check(t.Context(), filepath.Join(disk, "data"), func(line string) { t.Error(line) }))
	free := run.fill(0)
	if s, err := sqlitestore.Open(filepath.Join(disk, "data"), sqlitestore.Options{}); err == nil {
		ok(t, s.Close())
	} else {
		wantKind(t, err, chat.Unavailable)
	}
	free()
	run.s = open(t, filepath.Join(disk, "data"), sqlitestore.Options{})
	if after := run.log(); len(after) != len(before) {
		t.Errorf("%d messages after opening again, %d before", len(after), len(before))
	}
	run.print(t, 0)
}

// fullDisk is a run of F3.
type fullDisk struct {
	testing.TB
	result
	s    *sqlitestore.Store
	disk string
	text string

	mu     sync.Mutex
	acks   []ack
	nacked map[string]bool
	n      int
}

func (f *fullDisk) append(writer int) error {
	f.mu.Lock()
	f.n++
	id := fmt.Sprintf("%d-%d", writer, f.n)
	f.mu.Unlock()
	d := chat.Draft{Room: "lobby", From: fmt.Sprint("u", writer), ID: id, Text: f.text, At: time.Now()}
	m, err := f.s.Append(tbContext, d, func(chat.Head, chat.Message) {})
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.acks = append(f.acks, ack{"lobby", id, m.Seq})
		return nil
	}
	if f.nacked == nil {
		f.nacked = map[string]bool{}
	}
	f.nacked[id] = true
	return err
}

// fill leaves the disk with a number of bytes.
func (f *fullDisk) fill(left int64) (free func()) {
	f.Helper()
	ballast := filepath.Join(f.disk, "ballast")
	file, err := os.Create(ballast)
	ok(f, err)
	size := int64(0)
	for block := make([]byte, 64<<10); err == nil; {
		var n int
		n, err = file.Write(block)
		size += int64(n)
	}
	ok(f, file.Truncate(size-left))
	ok(f, file.Close())
	return func() { ok(f, os.Remove(ballast)) }
}

// cycle fills the disk, wants refusals and reads, frees it and wants writes.
func (f *fullDisk) cycle(n int) {
	f.Helper()
	free := f.fill(1 << 20) // the writers fill the rest
	var writing sync.WaitGroup
	for w := range 8 {
		writing.Go(func() {
			for {
				if err := f.append(w); err != nil {
					if !chat.Is(err, chat.Unavailable) {
						f.Errorf("cycle %d: got %v, want Unavailable", n, err)
					}
					return
				}
			}
		})
	}
	writing.Wait()
	f.faults++
	f.log()
	free()
	freed := time.Now()
	await(f, func() bool { return f.append(0) == nil })
	const margin = 10 * time.Second // of a busy machine
	if took := time.Since(freed); took > 5*time.Second+margin {
		f.Errorf("cycle %d: it took %v until a message was stored again, want 5 s at most", n, took)
	}
}

// log reads the log while the disk is full or not, and checks it.
func (f *fullDisk) log() []chat.Message {
	f.Helper()
	all, err := roomLog(f.s, "lobby")
	ok(f, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked = len(f.acks)
	f.check(f, all, f.acks, func(id string) (string, bool) { return f.text, !f.nacked[id] })
	return all
}
