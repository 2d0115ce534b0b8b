package sqlitestore

import "github.com/confab-chat/confab/chat"

// filterBlocks is the size of a filter in blocks of 64 bytes, a cache line each: 2 MiB. With
// 1.5 million keys about one in a hundred others is taken for one of them; with more, more are.
const (
	filterBlocks = 1 << 15
	keyBits      = 6 // that a key sets in its block of 512
)

// filter is a Bloom filter of keys: what it does not have was not added. Keys are parts of a SHA-256,
// or a hash as even, so that their own bits are as good as any hash of them.
type filter [filterBlocks][8]uint64

func (f *filter) add(key int64) {
	h := uint64(key)
	block := &f[h/(1<<64/filterBlocks)]
	for range keyBits {
		block[h%8] |= 1 << (h / 8 % 64)
		h >>= 8
	}
}

func (f *filter) has(key int64) bool {
	h := uint64(key)
	block := &f[h/(1<<64/filterBlocks)]
	for range keyBits {
		if block[h%8]&(1<<(h/8%64)) == 0 {
			return false
		}
		h >>= 8
	}
	return true
}

// join adds the keys of another filter.
func (f *filter) join(other *filter) {
	for i := range f {
		for j := range f[i] {
			f[i][j] |= other[i][j]
		}
	}
}

// recent is filters of the keys that went to the table of sent lately: what they do not have need not
// be looked up there. It forgets what is not remembered any more.
type recent struct {
	now    *filter
	before *filter // of the window before
	since  int64   // when now began
	ready  bool    // they have what was in the table when the store was opened
}

func (k *recent) add(key, now int64) {
	if window := chat.DedupWindow.Milliseconds(); now-k.since >= window {
		k.before, k.now, k.since = k.now, new(filter), now
	}
	k.now.add(key)
}

// absent tells that the table does not have a key that is remembered.
func (k *recent) absent(key int64) bool { return k.ready && !k.now.has(key) && !k.before.has(key) }

// load reads the keys of the table.
func (f *filter) load(c *conn, stop func() error) error {
	rows := 0
	return c.each("SELECT key FROM sent", func(r row) error {
		f.add(r.int(0))
		if rows++; rows%1024 == 0 {
			return stop()
		}
		return nil
	})
}

// loadSmall reads the keys of the table, unless they are many: see Store.loadRecent.
func (w *writer) loadSmall() error {
	ids, err := readSum(w.conn, inSent)
	if err != nil || ids.rows > w.s.small {
		return err
	}
	w.sent.recent.ready = true
	return w.sent.recent.now.load(w.conn, never)
}

// loadRecent has the writer know the keys of a large table, read on a connection of its own.
func (s *Store) loadRecent(c *conn, stop func() error) error {
	found := new(filter)
	if err := found.load(c, stop); err != nil {
		return err
	}
	o := op{done: make(chan struct{}), between: func(w *writer) {
		w.sent.recent.now.join(found)
		w.sent.recent.ready = true
	}}
	if err := s.queue.put(&o); err != nil {
		return errStopped // too much is waiting, or the store is closed: the table is asked for each key
	}
	<-o.done
	return nil
}
