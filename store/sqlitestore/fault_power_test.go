//go:build !race && linux

package sqlitestore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// powerRooms are the rooms of the run that is recorded; its writers send powerEach messages to each.
var powerRooms = []string{"lobby", "tea"}

const (
	powerWriters = 4
	powerEach    = 40
)

// powerText is the text of a message id.
func powerText(id string) (string, bool) {
	return fmt.Sprintf("<text of %s>", id) + strings.Repeat("p", len(id)*37%900), strings.HasPrefix(id, "p")
}

// TestF2_PowerLoss is F2: a run's system calls are replayed to some point, and of what was not synced
// by then a part is lost, torn or written out of order.
func TestF2_PowerLoss(t *testing.T) {
	if os.Getenv("CONFAB_POWER") != "" {
		return // this is the recorded process, whose test is another
	}
	dir, trace := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "trace")
	front := []string{
		tools.Program(t, "strace"), "-f", "-y", "-xx", "-s", "1048576", "-e", "trace=" + traced, "-e", "signal=none",
		"--seccomp-bpf", "-o", trace,
	}
	ok(t, child(t, "TestF2_powerChild", []string{"CONFAB_POWER=" + dir}, front, func(string) {}))
	calls := readTrace(t, trace, dir)
	seed, n := seed(t), faults(500, 20_000)
	points := make([]int, n)
	for i := range points {
		points[i] = randomOf(seed, uint64(i)).IntN(len(calls) + 1)
	}
	slices.Sort(points)
	p := power{TB: t, disk: newDisk(), deleted: map[string]bool{}}
	for i, point := range points {
		for ; p.done < point; p.done++ {
			p.step(calls[p.done])
		}
		p.crash(filepath.Join(t.TempDir(), "crashed"), seed, uint64(i))
		if t.Failed() {
			t.Fatalf("crash %d of seed %d, after call %d of %d", i, seed, point, len(calls))
		}
	}
	for ; p.done < len(calls); p.done++ {
		p.step(calls[p.done])
	}
	if want := len(powerRooms) * powerWriters * powerEach; len(p.acks) != want || len(p.deleted) == 0 {
		t.Errorf("the run acknowledged %d messages and %d deletions, want %d and some",
			len(p.acks), len(p.deleted), want)
	}
	p.acked = len(p.acks)
	p.print(t, seed)
}

// TestF2_powerChild is the run that is recorded.
func TestF2_powerChild(t *testing.T) {
	dir := os.Getenv("CONFAB_POWER")
	if dir == "" {
		return // it is only run by TestF2_PowerLoss
	}
	s, err := sqlitestore.Open(dir, sqlitestore.Options{Now: damageTime}.KeepYoung(30))
	ok(t, err)
	var writing sync.WaitGroup
	for w := range powerWriters {
		user := fmt.Sprint("u", w)
		_, _, err := s.Join(tbContext, chat.Join{Room: "tea", Name: "tea", User: user, Kind: chat.PublicRoom})
		ok(t, err)
		writing.Go(func() {
			for i := range powerEach * len(powerRooms) {
				powerStep(t, s, powerRooms[i%len(powerRooms)], user, fmt.Sprintf("p%d-%d", w, i), i%16 == 15)
			}
		})
	}
	writing.Wait()
	ok(t, s.Close())
}

// powerStep sends a message, says so, and maybe deletes it and says that.
func powerStep(t *testing.T, s *sqlitestore.Store, room, user, id string, remove bool) {
	text, _ := powerText(id)
	d := chat.Draft{Room: room, From: user, ID: id, Text: text, At: damageTime()}
	m, err := s.Append(tbContext, d, func(chat.Head, chat.Message) {})
	if err != nil {
		t.Error(err)
		return
	}
	fmt.Fprintf(os.Stdout, "ACK %s %s %d\n", room, id, m.Seq)
	if !remove {
		return
	}
	if _, err := s.Delete(tbContext, room, m.Seq, user); err != nil {
		t.Error(err)
	}
	fmt.Fprintf(os.Stdout, "DEL %s %s %d\n", room, id, m.Seq)
}

// power is a replay of F2.
type power struct {
	testing.TB
	result
	disk    *disk
	done    int // calls that were carried out
	acks    []ack
	deleted map[string]bool // ids whose deletion was acknowledged
}

// step carries out a call on the disk, or notes an acknowledgement.
func (p *power) step(c call) {
	p.Helper()
	p.disk.do(c)
	if c.kind != "ack" {
		return
	}
	words := strings.Fields(c.file)
	if words[0] == "DEL" {
		p.deleted[words[2]] = true
		return
	}
	seq, err := strconv.ParseUint(words[3], 10, 64)
	ok(p, err)
	p.acks = append(p.acks, ack{words[1], words[2], seq})
}

// crash cuts the power here, and opens what is left.
func (p *power) crash(dir string, seed, i uint64) {
	p.Helper()
	p.disk.crash(p, dir, randomOf(seed, i+1<<32))
	defer func() { ok(p, os.RemoveAll(dir)) }()
	p.faults++
	s, err := sqlitestore.Open(dir, sqlitestore.Options{Now: damageTime}.KeepYoung(30))
	if err != nil {
		p.Errorf("Open: %v", err)
		p.lost++
		return
	}
	defer func() { ok(p, s.Close()) }()
	for _, room := range powerRooms {
		log, err := roomLog(s, room)
		ok(p, err)
		var acked []ack
		for _, a := range p.acks {
			if a.room == room {
				acked = append(acked, a)
			}
		}
		p.check(p, log, acked, powerText)
		p.checkDeleted(log, dir)
	}
	for k := range min(len(p.acks), 3) {
		p.repeat(s, p.acks[(int(i)*7+k*31)%len(p.acks)])
	}
}

// checkDeleted wants the texts whose deletion was acknowledged to be gone.
func (p *power) checkDeleted(log []chat.Message, dir string) {
	p.Helper()
	for _, m := range log {
		if !p.deleted[m.ID] {
			continue
		}
		if m.State != chat.Deleted {
			p.Errorf("%s was deleted and is there again", m.ID)
			p.lost++
		}
		if files := holds(p, dir, fmt.Sprintf("<text of %s>", m.ID)); len(files) > 0 {
			p.Errorf("the text of %s was deleted and is in %v", m.ID, files)
		}
	}
}

// repeat sends an acknowledged message again.
func (p *power) repeat(s *sqlitestore.Store, a ack) {
	p.Helper()
	text, _ := powerText(a.id)
	user := "u" + a.id[1:2]
	m, err := s.Append(tbContext, chat.Draft{Room: a.room, From: user, ID: a.id, Text: text, At: damageTime()},
		func(chat.Head, chat.Message) {})
	if err != nil || m.Seq != a.seq || !m.Duplicate {
		p.Errorf("%s sent again: got %d %v %v, want %d as a duplicate", a.id, m.Seq, m.Duplicate, err, a.seq)
		p.dup++
	}
}
