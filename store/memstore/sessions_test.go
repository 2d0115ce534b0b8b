package memstore_test

import (
	"testing"

	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestSessions(t *testing.T) {
	storetest.RunSessions(t, func(testing.TB) storetest.SessionsHarness {
		s := memstore.NewSessions()
		return storetest.SessionsHarness{A: s, B: s}
	})
}
