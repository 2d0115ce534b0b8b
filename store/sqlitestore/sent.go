package sqlitestore

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chat"
)

// The ids that were used lately. A message's own row says that its id was used, so an Append writes
// nothing else: the youngest ids are in memory, and are read from the messages when the store is
// opened. When they are many they go to the table of sent, in the order of its keys and a few with
// each commit: that touches far fewer pages than inserting each id where it belongs.
const (
	maxYoung     = 16_384 // ids in memory; twice as many while they go to the table
	agePerAppend = 4      // ids that go to the table with each Append
	sweepPerAged = 4      // rows of the table that are looked at with each of those
	lookup       = 16     // keys that are looked up by one statement
)

// sentRow is a row of sent: a message id that was used, and for which message.
type sentRow struct {
	key  int64
	room int64
	seq  uint64
	at   int64 // milliseconds since 1970, by the store's clock
	hash int64 // of the text
}

func (r *sentRow) crc(scratch content) int64 {
	return scratch.num(uint64(r.key)).num(uint64(r.room)).num(r.seq).num(uint64(r.at)).num(uint64(r.hash)).crc()
}

const sentColumns = "key, room, seq, at, hash, crc"

// scanSent reads a row of sentColumns.
func scanSent(r row) (sentRow, error) {
	found := sentRow{key: r.int(0), room: r.int(1), seq: r.uint(2), at: r.int(3), hash: r.int(4)}
	if found.crc(nil) != r.int(5) {
		return found, damagef("the sent id of message %d in room number %d fails its CRC", found.seq, found.room)
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
	limit  int               // of young
	young  map[int64]sentRow // not in the table
	aging  map[int64]sentRow // going to the table
	queue  []sentRow         // those of aging that are still to go, by key
	staged map[int64]sentRow // of the present batch
	tabled map[int64]bool    // keys of the present batch that are in the table
	went   int               // of queue, with the present batch
	last   int64             // the position of the youngest message, also of the present batch
	aged   int64             // that of the youngest message in aging

	swept  int64 // the key up to which the table was looked at for old rows
	oldest int64 // time of the oldest row seen
	rests  int64 // no row is old before that time
}

func newSentIDs(limit int) *sentIDs {
	return &sentIDs{
		limit: limit, young: map[int64]sentRow{}, staged: map[int64]sentRow{}, tabled: map[int64]bool{},
		swept: math.MinInt64, oldest: math.MaxInt64 - chat.DedupWindow.Milliseconds(),
	}
}

// recall reads the ids of the messages that are younger than the table, as used at the time of the
// message. A deleted one's is in the table.
func (w *writer) recall() error {
	flushed, err := readSum(w.conn, youngest)
	if err != nil {
		return err
	}
	w.sent.last = flushed.rows
	oldest := w.since(chat.DedupWindow)
	return w.conn.each("SELECT m."+strings.ReplaceAll(messageColumns, ", ", ", m.")+`, m.pos, m.room, h.room
		FROM messages m LEFT JOIN heads h ON h.n = m.room WHERE m.pos > ? ORDER BY m.pos`, func(r row) error {
		m, err := scanMessage(r, r.text(9))
		if err != nil {
			return err
		}
		w.sent.last = r.int(7)
		at := m.At.UnixMilli()
		if m.State != chat.Stored || at <= oldest {
			return nil
		}
		s := sentRow{room: r.int(8), seq: m.Seq, at: at, hash: textHash(m.Text), key: sentKey(m.Room, m.From, m.ID)}
		for { // another id with the same key comes first
			other, taken := w.sent.young[s.key]
			if !taken || other.room == s.room && other.seq == s.seq {
				break
			}
			s.key++
		}
		w.sent.young[s.key] = s
		return nil
	}, flushed.rows)
}

// begin looks up in the table which keys of a batch are taken.
func (w *writer) beginSent(batch []*op) error {
	clear(w.sent.tabled)
	keys := make([]any, 0, lookup)
	for _, o := range batch {
		if o.append == nil {
			continue
		}
		if keys = append(keys, o.append.key); len(keys) == lookup {
			if err := w.lookUp(keys); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	for len(keys) > 0 && len(keys) < lookup {
		keys = append(keys, keys[0])
	}
	if len(keys) == 0 {
		return nil
	}
	return w.lookUp(keys)
}

var lookupQuery = "SELECT key FROM sent WHERE key IN (?" + strings.Repeat(", ?", lookup-1) + ")"

func (w *writer) lookUp(keys []any) error {
	return w.conn.each(lookupQuery, func(r row) error {
		w.sent.tabled[r.int(0)] = true
		return nil
	}, keys...)
}

// taken finds the row of a key, the youngest first.
func (w *writer) taken(key, asked int64) (sentRow, bool, error) {
	for _, in := range []map[int64]sentRow{w.sent.staged, w.sent.young, w.sent.aging} {
		if s, ok := in[key]; ok {
			return s, true, nil
		}
	}
	if key == asked && !w.sent.tabled[key] {
		return sentRow{}, false, nil
	}
	return w.tabledRow(key)
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

// use records the id of the message that is to have the room's next number. It gives the message
// for which the id was used before, if that is not longer ago than ids are remembered.
func (w *writer) use(r *room, a *appending) (first *chat.Message, err error) {
	d := &a.draft
	for key := a.key; ; key++ {
		s, taken, err := w.taken(key, a.key)
		if err != nil {
			return nil, err
		}
		if !taken {
			w.sent.staged[key] = sentRow{key: key, room: r.n, seq: r.head.Seq + 1, at: w.now(), hash: a.hash}
			return nil, nil
		}
		if s.room != r.n {
			continue // another id has the same key
		}
		m, err := readMessage(w.conn, r.n, d.Room, s.seq)
		switch {
		case err != nil:
			return nil, err
		case m.ID != d.ID || m.From != d.From:
		case s.at <= w.since(chat.DedupWindow):
			s.seq, s.at, s.hash = r.head.Seq+1, w.now(), a.hash
			w.sent.staged[key] = s
			return nil, nil
		case s.hash != a.hash, m.State == chat.Stored && m.Text != d.Text:
			return nil, chat.E(chat.IDReused, "this message id was used for another text")
		default:
			return &m, nil
		}
	}
}

// keepHash puts the id of a message into the table before its text is deleted: after that the
// message cannot tell any more whether a repetition has the same text.
func (w *writer) keepHash(r *room, m *chat.Message) error {
	for key := sentKey(m.Room, m.From, m.ID); ; key++ {
		s, taken, err := w.taken(key, key+1)
		switch {
		case err != nil || !taken:
			return err // it is forgotten
		case s.room == r.n && s.seq == m.Seq:
			return w.table(s)
		}
	}
}

// table writes a row to the table.
func (w *writer) table(s sentRow) error {
	crc := s.crc(w.scratch[:0])
	changed, err := w.conn.exec("INSERT OR IGNORE INTO sent VALUES (?, ?, ?, ?, ?, ?)",
		s.key, s.room, int64(s.seq), s.at, s.hash, crc)
	if err != nil {
		return err
	}
	if changed == 1 {
		w.tally.add(inSent, 0, crc)
		return nil
	}
	before, found, err := w.tabledRow(s.key)
	if err != nil || before == s {
		return err
	}
	if !found {
		return damagef("the sent id of message %d in room number %d is there and is not", s.seq, s.room)
	}
	_, err = w.conn.exec("UPDATE sent SET room = ?, seq = ?, at = ?, hash = ?, crc = ? WHERE key = ?",
		s.room, int64(s.seq), s.at, s.hash, crc, s.key)
	if err != nil {
		return err
	}
	w.tally.add(inSent, before.crc(nil), crc)
	return nil
}

// commit keeps what the batch has done.
func (ids *sentIDs) commit() {
	maps.Copy(ids.young, ids.staged)
	clear(ids.staged)
	ids.queue = ids.queue[ids.went:]
	ids.went = 0
	if len(ids.queue) > 0 || len(ids.young) < ids.limit {
		return
	}
	ids.aging, ids.young, ids.aged = ids.young, make(map[int64]sentRow, ids.limit), ids.last
	ids.queue = slices.SortedFunc(maps.Values(ids.aging), func(a, b sentRow) int { return cmp.Compare(a.key, b.key) })
}

// abort forgets what the batch has done.
func (ids *sentIDs) abort() {
	clear(ids.staged)
	ids.went = 0
}
