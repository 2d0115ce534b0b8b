package sqlitestore_test

import (
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
	"github.com/confab-chat/confab/store/storetest"
)

// open opens a store that is closed at the end of the test.
func open(tb testing.TB, dir string, o sqlitestore.Options) *sqlitestore.Store {
	tb.Helper()
	s, err := sqlitestore.Open(dir, o)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.RunLog(t, func(tb testing.TB) storetest.LogHarness {
		clock := storetest.NewClock()
		options := sqlitestore.Options{Now: clock.Now}
		dir := tb.TempDir()
		s := open(tb, dir, options)
		return storetest.LogHarness{
			A: s, B: s, Clock: clock, Ordered: true,
			Reopen: func() (a, b chat.Log) {
				// What a crash leaves is what the files hold now.
				dir = copyOf(tb, dir)
				s := open(tb, dir, options)
				return s, s
			},
		}
	})
}
