package memstore_test

import (
	"testing"

	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/storetest"
)

func TestLog(t *testing.T) {
	storetest.RunLog(t, func(testing.TB) storetest.LogHarness {
		clock := storetest.NewClock()
		log := memstore.NewLog(memstore.Options{Now: clock.Now})
		return storetest.LogHarness{A: log, B: log, Clock: clock, Ordered: true}
	})
}
