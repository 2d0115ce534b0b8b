//go:build !race && linux

package sqlitestore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// damagePerChild is how many damaged copies one process opens.
const damagePerChild = 50

// damageTime is when the data is made and opened: an hour after fill's messages.
func damageTime() time.Time { return time.UnixMilli(1_767_229_200_000) }

var damagedRooms = []string{"lobby", "tea", "den", "@ann,bob"}

// TestF5_Damage is F5: damaged copies of a data file end in an error that names the file, or give
// what was stored, in processes that never panic.
func TestF5_Damage(t *testing.T) {
	if os.Getenv("CONFAB_DAMAGE") != "" {
		return // this is a child, whose test is another
	}
	seed, n := seed(t), faults(600, 10_000)
	dir := t.TempDir()
	r := result{acked: storeForDamage(t, dir)}
	named := 0
	for first := 0; first < n; first += damagePerChild {
		env := []string{"CONFAB_DAMAGE=" + dir, fmt.Sprint("CONFAB_SEED=", seed), fmt.Sprint("CONFAB_FIRST=", first)}
		err := child(t, "TestF5_damageChild", env, nil, func(line string) {
			switch {
			case line == "intact":
				r.faults++
			case line == "named":
				r.faults++
				named++
			case strings.HasPrefix(line, "wrong:"):
				r.faults++
				r.lost++
				t.Error(line)
			}
		})
		if err != nil {
			t.Errorf("the process of the faults from %d on (seed %d): %v", first, seed, err)
		}
	}
	if r.faults < n {
		t.Errorf("%d faults ended, want %d", r.faults, n)
	}
	if named == 0 || named == n {
		t.Errorf("%d of %d faults ended in a named error: the faults are not what they should be", named, n)
	}
	r.print(t, seed)
}

// storeForDamage makes the data, and what is in it as JSON beside it.
func storeForDamage(t *testing.T, dir string) (acked int) {
	t.Helper()
	s := open(t, filepath.Join(dir, "data"), sqlitestore.Options{Now: damageTime}.KeepYoung(20))
	fill(t, s, 150)
	fillPeople(t, s)
	for _, user := range []string{"ann", "bob"} {
		j := chat.Join{Room: "@ann,bob", Name: "@ann,bob", User: user, Kind: chat.DirectRoom}
		_, _, err := s.Join(t.Context(), j)
		ok(t, err)
	}
	for i := range 200 {
		ok(t, s.PutUser(t.Context(), chat.User{Name: fmt.Sprint("user", i)}))
		j := chat.Join{Room: fmt.Sprint("room", i), Name: "r", User: "cyd", Kind: chat.PublicRoom}
		_, _, err := s.Join(t.Context(), j)
		ok(t, err)
		send(t, s, damagedRooms[i%2], "ann", fmt.Sprint("m", i), strings.Repeat("m", i*7))
		send(t, s, "@ann,bob", "bob", fmt.Sprint("m", i), "direct "+strings.Repeat("d", i))
	}
	c, err := read(s, damagedRooms...)
	ok(t, err)
	ok(t, s.Close())
	data, err := json.Marshal(c)
	ok(t, err)
	ok(t, os.WriteFile(filepath.Join(dir, "content.json"), data, 0o600))
	for _, messages := range c.Messages {
		acked += len(messages)
	}
	return acked
}

// TestF5_damageChild damages copies, opens and reads them.
func TestF5_damageChild(t *testing.T) {
	dir := os.Getenv("CONFAB_DAMAGE")
	if dir == "" {
		return // it is only run by TestF5_Damage
	}
	first, err := strconv.Atoi(os.Getenv("CONFAB_FIRST"))
	ok(t, err)
	data, err := os.ReadFile(filepath.Join(dir, "content.json"))
	ok(t, err)
	var want content
	ok(t, json.Unmarshal(data, &want))
	seed := seed(t)
	for i := first; i < first+damagePerChild; i++ {
		copied := copyOf(t, filepath.Join(dir, "data"))
		what := damage(t, filepath.Join(copied, "confab.db"), randomOf(seed, uint64(i)))
		line := verdict(copied, want, fmt.Sprintf("fault %d, %s", i, what))
		fmt.Println(strings.ReplaceAll(line, "\n", " | "))
		ok(t, os.RemoveAll(copied))
	}
}

// damage changes a file in one of the ways of F5, and says how.
func damage(tb testing.TB, file string, random *rand.Rand) string {
	tb.Helper()
	const page = 4096
	info, err := os.Stat(file)
	ok(tb, err)
	at := int(random.Int64N(info.Size()))
	aligned := at / page * page
	switch random.IntN(4) {
	case 0:
		ok(tb, os.Truncate(file, int64(at)))
		return fmt.Sprintf("truncated to %d bytes", at)
	case 1:
		data, err := os.ReadFile(file)
		ok(tb, err)
		bit := random.IntN(8)
		overwrite(tb, file, at, []byte{data[at] ^ 1<<bit})
		return fmt.Sprintf("bit %d of byte %d flipped", bit, at)
	case 2:
		overwrite(tb, file, aligned, make([]byte, page))
		return fmt.Sprintf("page at %d zeroed", aligned)
	}
	noise := make([]byte, page)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	overwrite(tb, file, aligned, noise)
	return fmt.Sprintf("page at %d made random", aligned)
}

// verdict opens a damaged store and says how that went: intact, named, or wrong and how.
func verdict(dir string, want content, what string) string {
	s, err := sqlitestore.Open(dir, sqlitestore.Options{Now: damageTime})
	if err == nil {
		err = compare(s, want)
		_ = s.Close() // on a damaged file it may well fail
	}
	checked := sqlitestore.Check(tbContext, dir, func(string) {})
	switch {
	case err == nil && (checked == nil || isNamed(checked, dir)):
		return "intact"
	case err == nil:
		return fmt.Sprintf("wrong: %s: Check gave %v", what, checked)
	case !isNamed(err, dir):
		return fmt.Sprintf("wrong: %s: %v", what, err)
	case checked == nil:
		return fmt.Sprintf("wrong: %s: Check found nothing, but reading gave %v", what, err)
	}
	return "named"
}

// isNamed tells whether an error names the file and the next step.
func isNamed(err error, dir string) bool {
	text := err.Error()
	if chat.Is(err, chat.Unavailable) { // a bit of the version may be flipped
		return strings.Contains(text, "newer confab")
	}
	return chat.Is(err, chat.Corrupt) && strings.Contains(text, filepath.Join(dir, "confab.db")) &&
		strings.Contains(text, "confab check") && strings.Contains(text, "confab restore")
}

// compare wants every part of the content to be as it was, or to end in an error. It gives the first
// named error, or one that is not named.
func compare(s *sqlitestore.Store, want content) error {
	var named error
	for _, room := range damagedRooms {
		got, err := read(s, room)
		if err != nil {
			named = errors.Join(named, err)
			continue
		}
		expected := content{
			Heads: map[string]chat.Head{room: want.Heads[room]},
			Rooms: want.Rooms, RoomsOf: want.RoomsOf, Users: want.Users, People: want.People,
			Messages: map[string][]chat.Message{room: want.Messages[room]},
			Members:  map[string][]chat.Member{room: want.Members[room]},
		}
		if diff := cmp.Diff(expected, got, cmpopts.EquateEmpty()); diff != "" {
			return fmt.Errorf("content (-want +got):\n%s", diff)
		}
	}
	if err := repeatAll(s, want); err != nil {
		return err
	}
	return named
}

// repeatAll sends messages again: each is there already, or ends in an error.
func repeatAll(s *sqlitestore.Store, want content) error {
	for i, m := range want.Messages["@ann,bob"] {
		if i%5 != 0 {
			continue
		}
		d := chat.Draft{Room: m.Room, From: m.From, ID: m.ID, Text: m.Text, At: m.At}
		got, err := s.Append(tbContext, d, func(chat.Head, chat.Message) {})
		if chat.Is(err, chat.Corrupt) {
			return nil // and every later one too
		}
		if err != nil {
			return fmt.Errorf("message %d sent again: %w", m.Seq, err)
		}
		if !got.Duplicate || got.Seq != m.Seq {
			return fmt.Errorf("message %d sent again gave %+v", m.Seq, got)
		}
	}
	return nil
}
