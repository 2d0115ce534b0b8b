package sqlitestore

import (
	"maps"
	"math"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// lookup is how many rows are looked up by one statement.
const lookup = 16

// lookupParams are the parameters of such a statement.
var lookupParams = "(" + strings.Repeat("?, ", lookup-1) + "?)"

// usedID is a message id that was used.
type usedID struct {
	pos int64 // of the message
	at  int64 // milliseconds since 1970, by the store's clock
}

// sentRow is a row of sent.
type sentRow struct {
	key int64
	usedID
	hash int64 // of the text, if it was deleted
}

func (r *sentRow) crc(scratch content) int64 {
	return scratch.num(uint64(r.key)).num(uint64(r.pos)).num(uint64(r.at)).num(uint64(r.hash)).crc()
}

const sentColumns = "key, pos, at, hash, crc"

// scanSent reads a row of sentColumns.
func scanSent(r row) (sentRow, error) {
	found := sentRow{key: r.int(0), usedID: usedID{pos: r.int(1), at: r.int(2)}, hash: r.int(3)}
	if found.crc(nil) != r.int(4) {
		return found, damagef("the sent id of the message at position %d fails its CRC", found.pos)
	}
	return found, nil
}

// sentKey is where an id belongs in the table.
func sentKey(room, sender, id string) int64 {
	return make(content, 0, 256).text(room).text(sender).text(id).hash()
}

// textHash tells one text from another after it was deleted.
func textHash(text string) int64 { return content(text).hash() }

// sentIDs is the ids that were used lately, for the writer.
type sentIDs struct {
	young  map[int64]usedID // not in the table
	aging  map[int64]usedID // going to the table, or just there
	staged map[int64]usedID // of the present batch
	tabled map[int64]bool   // keys of the present batch that are in the table
	recent recent           // keys that are in the table

	swept  int64 // the key up to which the table was looked at for old rows
	oldest int64 // time of the oldest row seen
	rests  int64 // no row is old before that time
}

func newSentIDs(now int64) *sentIDs {
	return &sentIDs{
		young: map[int64]usedID{}, staged: map[int64]usedID{}, tabled: map[int64]bool{},
		recent: recent{now: new(filter), before: new(filter), since: now},
		swept:  math.MinInt64, oldest: math.MaxInt64 - chat.DedupWindow.Milliseconds(),
	}
}

// commit keeps what the batch has used.
func (ids *sentIDs) commit() {
	maps.Copy(ids.young, ids.staged)
	clear(ids.staged)
}

// beginSent looks up in the table which keys of a batch are taken, of those that may be.
func (w *writer) beginSent(batch []*op) error {
	clear(w.sent.tabled)
	keys := make([]any, 0, lookup)
	for _, o := range batch {
		if o.append == nil || w.sent.recent.absent(o.append.key) {
			continue
		}
		if keys = append(keys, o.append.key); len(keys) == lookup {
			if err := w.lookUp(keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return w.lookUp(keys)
}

const lookupQuery = "SELECT key FROM sent WHERE key IN "

func (w *writer) lookUp(keys []any) error {
	for len(keys) < lookup {
		keys = append(keys, keys[0])
	}
	return w.conn.each(lookupQuery+lookupParams, func(r row) error {
		w.sent.tabled[r.int(0)] = true
		return nil
	}, keys...)
}

// taken finds who has a key, the youngest first.
func (w *writer) taken(key, asked int64) (usedID, bool, error) {
	for _, in := range []map[int64]usedID{w.sent.staged, w.sent.young, w.sent.aging} {
		if id, ok := in[key]; ok {
			return id, true, nil
		}
	}
	if key == asked && !w.sent.tabled[key] {
		return usedID{}, false, nil
	}
	s, found, err := w.tabledRow(key)
	return s.usedID, found, err
}

// tabledRow reads a row of the table.
func (w *writer) tabledRow(key int64) (s sentRow, found bool, err error) {
	r, err := w.conn.one("SELECT "+sentColumns+" FROM sent WHERE key = ?", key)
	if err != nil || r == nil {
		return sentRow{}, false, err
	}
	s, err = scanSent(r)
	return s, true, err
}

// use records the id of the message that is to be the next of all. It gives the message for which the
// id was used before, if that is not longer ago than ids are remembered.
func (w *writer) use(a *appending) (first *chat.Message, err error) {
	d := &a.draft
	for key := a.key; ; key++ {
		id, taken, err := w.taken(key, a.key)
		if err != nil {
			return nil, err
		}
		if !taken {
			w.sent.staged[key] = usedID{pos: w.last + 1, at: w.now()}
			if key != a.key {
				w.sent.recent.add(a.key, w.now()) // so that who looks for it goes on from there
			}
			return nil, nil
		}
		m, err := readAt(w.conn, id.pos)
		switch {
		case err != nil:
			return nil, err
		case m.Room != d.Room || m.ID != d.ID || m.From != d.From: // another id has the same key
		case id.at <= w.since(chat.DedupWindow):
			w.sent.staged[key] = usedID{pos: w.last + 1, at: w.now()}
			return nil, nil
		default:
			return w.repeated(key, &m, d.Text)
		}
	}
}

// repeated gives a message whose id is used again for the same text.
func (w *writer) repeated(key int64, m *chat.Message, text string) (*chat.Message, error) {
	same := m.Text == text
	if m.State == chat.Deleted {
		s, _, err := w.tabledRow(key)
		if err != nil {
			return nil, err
		}
		same = s.hash == textHash(text)
	}
	if !same {
		return nil, chat.E(chat.IDReused, "this message id was used for another text")
	}
	return m, nil
}

// keepHash puts the id of a message with its text's hash into the table before that is deleted: after
// that the message cannot tell any more whether a repetition has the same text.
func (w *writer) keepHash(m *chat.Message, pos int64) error {
	for key := sentKey(m.Room, m.From, m.ID); ; key++ {
		id, taken, err := w.taken(key, key+1)
		switch {
		case err != nil || !taken:
			return err // it is forgotten
		case id.pos == pos:
			return w.table(sentRow{key: key, usedID: id, hash: textHash(m.Text)})
		}
	}
}

// table writes a row to the table.
func (w *writer) table(s sentRow) error {
	crc := s.crc(w.scratch[:0])
	changed, err := w.conn.exec("INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?)", s.key, s.pos, s.at, s.hash, crc)
	if err != nil {
		return err
	}
	w.sent.recent.add(s.key, w.now())
	if changed == 1 {
		w.tally.add(inSent, 0, crc)
		return nil
	}
	before, found, err := w.tabledRow(s.key)
	switch {
	case err != nil:
		return err
	case !found:
		return damagef("the sent id of the message at position %d is there and is not", s.pos)
	case before.pos > s.pos, before.pos == s.pos && s.hash == 0:
		return nil // it was written when its text was deleted, or for a later message
	}
	_, err = w.conn.exec("UPDATE sent SET pos = ?, at = ?, hash = ?, crc = ? WHERE key = ?",
		s.pos, s.at, s.hash, crc, s.key)
	if err != nil {
		return err
	}
	w.tally.add(inSent, before.crc(nil), crc)
	return nil
}
