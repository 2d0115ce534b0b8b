package client

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const server = "ws://chat.example/production"

// reopen opens an outbox file and gives the texts that wait in it.
func reopen(t *testing.T, name string) (file *outboxFile, texts []string, err error) {
	t.Helper()
	file, left, err := openOutboxFile(name, server)
	if err != nil {
		return nil, nil, err
	}
	t.Cleanup(func() { file.close() })
	for _, e := range left {
		if !e.restored || !e.tried {
			t.Errorf("%+v is as new", e)
		}
		texts = append(texts, e.Text)
	}
	return file, texts, nil
}

func draft(n int) *entry {
	at := time.Date(2026, 11, 21, 12, 0, n, 0, time.UTC)
	return &entry{Draft: Draft{Room: "tea", ID: fmt.Sprint("m", n), Text: fmt.Sprint("text ", n)}, at: at}
}

// written is an outbox file with messages 1 to n, of which the first is done.
func written(t *testing.T, n int) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "outbox")
	file, _, err := reopen(t, name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := file.put(draft(i + 1)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			file.done("m1", nil)
		}
	}
	if err := file.close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestOutboxFile(t *testing.T) {
	name := written(t, 4)
	for _, file := range []string{name, name + ".lock"} {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info.Mode(), err)
		}
	}
	file, texts, err := reopen(t, name)
	if err != nil || strings.Join(texts, "|") != "text 2|text 3|text 4" {
		t.Fatalf("left %q, %v", texts, err)
	}
	if _, _, err := reopen(t, name); !errors.Is(err, ErrOutboxInUse) {
		t.Errorf("opened twice: %v", err)
	}
	if err := file.close(); err != nil {
		t.Fatal(err)
	}
	if err := file.put(draft(5)); !errors.Is(err, ErrClosed) {
		t.Errorf("put into a closed file: %v", err)
	}
	if _, _, err := openOutboxFile(name, "ws://other.example/production"); err == nil || !strings.Contains(err.Error(), server) {
		t.Errorf("opened for another server: %v", err)
	}
}

// TestOutboxFile_sync has a disk that fails once: what it has then nobody knows, so nothing more is
// promised.
func TestOutboxFile_sync(t *testing.T) {
	file, _, err := reopen(t, written(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	synced, broken := 0, errors.New("the disk fails")
	file.sync = func(f *os.File) error {
		if synced++; synced == 2 {
			return broken
		}
		return f.Sync()
	}
	if err := file.put(draft(2)); err != nil || synced != 1 {
		t.Errorf("put with %d syncs: %v", synced, err)
	}
	for n := 3; n < 5; n++ {
		if err := file.put(draft(n)); !errors.Is(err, broken) {
			t.Errorf("put message %d on a disk that has failed: %v", n, err)
		}
	}
}

// TestOutboxFile_torn cuts the file off at each byte, as a power loss may: what was promised before
// the last write is there.
func TestOutboxFile_torn(t *testing.T) {
	name := written(t, 4)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	third := bytes.Index(whole, []byte(`"m4"`)) - len(`00000000 {"put":{"id":`)
	tails := []string{"", "\x00\x00\x00", "\n", "garbage\n\x00\n"}
	for end := third; end <= len(whole); end++ {
		tail := tails[end%len(tails)] // not each of them: every opening syncs
		if err := os.WriteFile(name, append(whole[:end:end], tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		want := "text 2|text 3"
		if end == len(whole) || end == len(whole)-1 && strings.HasPrefix(tail, "\n") {
			want += "|text 4"
		}
		file, texts, err := reopen(t, name)
		if err != nil || strings.Join(texts, "|") != want {
			t.Fatalf("cut at %d of %d, then %q: left %q, %v", end, len(whole), tail, texts, err)
		}
		if err := file.put(draft(5)); err != nil { // it must not continue the torn line
			t.Fatal(err)
		}
		file.close()
		file, texts, err = reopen(t, name)
		if err != nil || strings.Join(texts, "|") != want+"|text 5" {
			t.Fatalf("written on after %d: left %q, %v", end, texts, err)
		}
		file.close()
	}
}

// TestOutboxFile_damaged flips each bit of what was promised.
func TestOutboxFile_damaged(t *testing.T) {
	name := written(t, 3)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.LastIndex(strings.TrimSpace(string(whole)), "\n") // the line before the last ends here
	for i := range last {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 1 << (i % 8)
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, texts, err := reopen(t, name); !errors.Is(err, ErrOutboxDamaged) {
			t.Fatalf("byte %d of %q: left %q, %v", i, whole, texts, err)
		}
		if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, damaged) {
			t.Fatalf("the damaged file was changed: %v", err)
		}
	}
}

// TestOutboxFile_size has much pass through a file in which little waits.
func TestOutboxFile_size(t *testing.T) {
	name := filepath.Join(t.TempDir(), "outbox")
	file, _, err := reopen(t, name)
	if err != nil {
		t.Fatal(err)
	}
	pass := func(n int, left ...*entry) {
		t.Helper()
		for i := range n {
			e := draft(100 + i)
			e.Text = strings.Repeat("x", 16384)
			if err := file.append(record{Put: &kept{ID: e.ID, Text: e.Text}}, false); err != nil {
				t.Fatal(err)
			}
			file.done(e.ID, left)
		}
	}
	size := func(most int64) {
		t.Helper()
		if info, err := os.Stat(name); err != nil || info.Size() > most {
			t.Errorf("%d bytes, %v; want at most %d", info.Size(), err, most)
		}
	}
	pass(200)
	size(emptyAt + 20000)
	if err := file.put(draft(1)); err != nil {
		t.Fatal(err)
	}
	pass(200, draft(1))
	size(compactAt + 20000)
	file.close()
	if _, texts, err := reopen(t, name); err != nil || strings.Join(texts, "|") != "text 1" {
		t.Errorf("left %q, %v", texts, err)
	}
}

func TestOutboxFile_belongs(t *testing.T) {
	name := written(t, 2)
	file, _, err := reopen(t, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.belongs("alice", []*entry{draft(2)}); err != nil {
		t.Fatal(err)
	}
	file.close()
	if file, _, err = reopen(t, name); err != nil {
		t.Fatal(err)
	}
	if err := file.belongs("alice", []*entry{draft(2)}); err != nil {
		t.Error(err)
	}
	if err := file.belongs("bob", []*entry{draft(2)}); !errors.Is(err, ErrOtherUser) {
		t.Errorf("of another user, with messages: %v", err)
	}
	if err := file.belongs("bob", nil); err != nil {
		t.Errorf("of another user, without messages: %v", err)
	}
}
