package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

const (
	outboxVersion = 1
	emptyAt       = 64 << 10 // bytes of an outbox without messages before it is cut down
	compactAt     = 1 << 20  // bytes before it is written anew, if most of it is not needed
)

// outboxFile keeps an outbox. A line is the CRC-32C of a record in eight hexadecimal digits, a blank
// and the record as JSON: first a header, then messages that came and ids of those that are done. An
// end that is not whole was never promised to anybody.
type outboxFile struct {
	name string
	lock *os.File
	mu   sync.Mutex
	f    *os.File // nil: closed
	size int64
	base int64 // size after the last compaction
	head outboxHeader
	sync func(*os.File) error // (*os.File).Sync, but in tests
	err  error                // of the first write that failed: nothing can be promised any more
}

// outboxHeader says whose messages these are.
type outboxHeader struct {
	Version int    `json:"version"`
	Server  string `json:"server"`
	User    string `json:"user,omitempty"` // "" until the first welcome
}

// record is a line after the header: one of its members is set.
type record struct {
	Put  *kept  `json:"put,omitempty"`
	Done string `json:"done,omitempty"`
	User string `json:"user,omitempty"`
}

// kept is a message in the file.
type kept struct {
	ID   string    `json:"id"`
	Room string    `json:"room,omitempty"`
	To   string    `json:"to,omitempty"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// line encodes a record.
func line(r any) ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text), nil
}

// unline decodes a line without its end.
func unline(text []byte, into any) error {
	sum, rest, ok := bytes.Cut(text, []byte(" "))
	if !ok || string(sum) != fmt.Sprintf("%08x", crc32.Checksum(rest, castagnoli)) {
		return errors.New("a checksum is wrong")
	}
	return json.Unmarshal(rest, into)
}

// openOutboxFile opens or makes the file and gives the messages that wait in it, oldest first.
func openOutboxFile(name, server string) (*outboxFile, []*entry, error) {
	lock, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("client: outbox: %w", err)
	}
	o := &outboxFile{
		name: name, lock: lock, head: outboxHeader{Version: outboxVersion, Server: server}, sync: (*os.File).Sync,
	}
	left, err := o.open(server)
	if err != nil {
		lock.Close()
		return nil, nil, fmt.Errorf("client: outbox %s: %w", name, err)
	}
	return o, left, nil
}

func (o *outboxFile) open(server string) ([]*entry, error) {
	if err := tryLock(o.lock); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(o.name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	head, left, err := readOutbox(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOutboxDamaged, err)
	}
	if len(left) > 0 {
		if head.Server != server {
			return nil, fmt.Errorf("it has messages for %s", head.Server)
		}
		o.head = head
	}
	return left, o.rewrite(left)
}

// readOutbox reads a file. What is wrong at its end is a write that was cut off; with something right
// behind it, it is damage.
func readOutbox(text []byte) (head outboxHeader, left []*entry, err error) {
	lines := bytes.Split(text, []byte("\n"))
	lines = lines[:len(lines)-1] // empty, or without an end
	if len(lines) == 0 {
		return head, nil, nil
	}
	if err := unline(lines[0], &head); err != nil {
		return head, nil, err
	}
	if head.Version != outboxVersion {
		return head, nil, fmt.Errorf("its version is %d, and this program knows %d", head.Version, outboxVersion)
	}
	var wrong error
	for i, text := range lines[1:] {
		var r record
		switch err := unline(text, &r); {
		case err != nil:
			wrong = cmp.Or(wrong, fmt.Errorf("line %d: %w", i+2, err))
		case wrong != nil:
			return head, nil, wrong
		case r.Put != nil:
			left = append(left, r.Put.entry())
		case r.Done != "":
			left = slices.DeleteFunc(left, func(e *entry) bool { return e.ID == r.Done })
		case r.User != "":
			head.User = r.User
		}
	}
	return head, left, nil
}

// entry gives the message of an earlier run, which may have been sent.
func (k *kept) entry() *entry {
	draft := Draft{Room: k.Room, To: k.To, Text: k.Text, ID: k.ID}
	return &entry{Draft: draft, at: k.At, restored: true, tried: true}
}

// rewrite replaces the file in one step by one that has these messages alone.
func (o *outboxFile) rewrite(left []*entry) error {
	var text bytes.Buffer
	records := []any{o.head}
	for _, e := range left {
		records = append(records, record{Put: &kept{e.ID, e.Room, e.To, e.Text, e.at}})
	}
	for _, r := range records {
		l, err := line(r)
		if err != nil {
			return err
		}
		text.Write(l)
	}
	fresh, err := os.CreateTemp(filepath.Dir(o.name), ".outbox-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = fresh.Write(text.Bytes())
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err == nil {
		if o.f != nil {
			o.f.Close()
		}
		err = os.Rename(fresh.Name(), o.name)
	}
	if err == nil {
		err = syncDir(filepath.Dir(o.name))
	}
	if err == nil {
		o.f, err = os.OpenFile(o.name, os.O_WRONLY|os.O_APPEND, 0)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(fresh.Name()))
	}
	o.size, o.base = int64(text.Len()), int64(text.Len())
	return nil
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// put appends a message; it is on the disk on return. A failure is for good: what the file has then
// nobody knows before the next run reads it.
func (o *outboxFile) put(e *entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.append(record{Put: &kept{e.ID, e.Room, e.To, e.Text, e.at}}, true)
}

func (o *outboxFile) append(r record, durable bool) error {
	if o.err != nil {
		return o.err
	}
	if o.f == nil {
		return ErrClosed
	}
	text, err := line(r)
	if err == nil {
		_, err = o.f.Write(text)
	}
	if err == nil && durable {
		err = o.sync(o.f)
	}
	if err != nil {
		o.err = fmt.Errorf("client: outbox %s: %w", o.name, err)
	}
	o.size += int64(len(text))
	return o.err
}

// done notes that a message waits no longer, left are those that do. Losing the note is no harm: the
// message is sent again with its id.
func (o *outboxFile) done(id string, left []*entry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.append(record{Done: id}, false)
	full := len(left) == 0 && o.size > emptyAt || o.size > compactAt && o.size > 2*o.base
	if err == nil && full {
		o.err = o.rewrite(left)
	}
}

// belongs checks whose messages these are, and notes it where there are none.
func (o *outboxFile) belongs(user string, left []*entry) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.head.User == user {
		return nil
	}
	if o.head.User != "" && len(left) > 0 {
		return ErrOtherUser
	}
	o.head.User = user
	return o.append(record{User: user}, true)
}

// close frees the file for another process.
func (o *outboxFile) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.f == nil {
		return nil
	}
	err := o.f.Close()
	o.f = nil
	return errors.Join(err, o.lock.Close())
}
