//go:build !race && linux

package sqlitestore_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// faults is the number of faults of a test: few, or with CONFAB_DEEP=1 many.
func faults(few, many int) int {
	if os.Getenv("CONFAB_DEEP") == "1" {
		return many
	}
	return few
}

// seed is that of a test's random choices: CONFAB_SEED, or the time.
func seed(tb testing.TB) uint64 {
	tb.Helper()
	n := uint64(time.Now().UnixNano())
	if s := os.Getenv("CONFAB_SEED"); s != "" {
		var err error
		n, err = strconv.ParseUint(s, 10, 64)
		ok(tb, err)
	}
	return n
}

func randomOf(seed, i uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, i)) }

// result is what a fault test prints.
type result struct{ faults, acked, lost, dup, reorder int }

func (r result) print(tb testing.TB, seed uint64) {
	tb.Helper()
	fmt.Printf("%s: faults=%d acked=%d lost=%d dup=%d reorder=%d seed=%d\n",
		tb.Name(), r.faults, r.acked, r.lost, r.dup, r.reorder, seed)
	if r.lost+r.dup+r.reorder > 0 {
		tb.Errorf("lost=%d dup=%d reorder=%d, want 0", r.lost, r.dup, r.reorder)
	}
}

// ack is a message that was acknowledged.
type ack struct {
	room, id string
	seq      uint64
}

// check compares a room's log with what was acknowledged of it, and with what was ever sent.
func (r *result) check(tb testing.TB, log []chat.Message, acked []ack, sent func(id string) (text string, ok bool)) {
	tb.Helper()
	at := map[string]uint64{}
	for i, m := range log {
		if m.Seq != uint64(i+1) {
			tb.Errorf("number %d stands where %d belongs", m.Seq, i+1)
			r.reorder++
		}
		if at[m.ID] != 0 {
			tb.Errorf("%s is stored as %d and %d", m.ID, at[m.ID], m.Seq)
			r.dup++
		}
		at[m.ID] = m.Seq
		text, was := sent(m.ID)
		if !was || m.State == chat.Stored && m.Text != text {
			tb.Errorf("message %d (%s) was never sent so", m.Seq, m.ID)
			r.lost++
		}
	}
	for _, a := range acked {
		switch at[a.id] {
		case a.seq:
		case 0:
			tb.Errorf("%s was acknowledged as %d and is lost", a.id, a.seq)
			r.lost++
		default:
			tb.Errorf("%s was acknowledged as %d and is %d", a.id, a.seq, at[a.id])
			r.reorder++
		}
	}
}

// roomLog reads a room's whole log; an absent room's is empty.
func roomLog(s *sqlitestore.Store, room string) ([]chat.Message, error) {
	var all []chat.Message
	for {
		p, err := s.Messages(tbContext, room, chat.Range{After: uint64(len(all)), Limit: chat.MaxPage})
		if chat.Is(err, chat.NotFound) {
			return nil, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, p.Messages...)
		if !p.More {
			return all, nil
		}
	}
}

// child runs one test of this binary in a process of its own, through the program in front of it if
// there is one, and gives each line of its output.
func child(tb testing.TB, test string, env []string, front []string, line func(string)) error {
	tb.Helper()
	args := slices.Concat(front, []string{os.Args[0], "-test.run=^" + test + "$", "-test.v=false"})
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	ok(tb, err)
	ok(tb, cmd.Start())
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line(lines.Text())
	}
	return cmd.Wait()
}
