package chatapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/wire"
)

// Users are listed all, up to a page's most, and those who have gone stay.
func TestDirectory_users(t *testing.T) {
	w := newWorld(t)
	w.connect("alice1", "carol1")
	w.disconnect("carol1")
	w.enter("phone1", wire.DirectoryDialect, "bob")
	equal(t, "contacts", w.act("phone1", `{"action":"users"}`), []string{`{"action":"users","contacts":[` +
		`{"name":"alice","status":true},{"name":"bob","status":true},{"name":"carol","status":false}]}`})
	for n := range 60 {
		w.ok(w.log.PutUser(w.ctx, chat.User{Name: fmt.Sprintf("user%d", n), Since: w.clock.Now()}))
	}
	got := w.act("phone1", `{"action":"users"}`)
	if len(got) != 1 || strings.Count(got[0], `"name":`) != 63 {
		t.Errorf("%s", got)
	}
	got = w.act("phone1", `{"action":"users","limit":5}`)
	if len(got) != 1 || strings.Count(got[0], `"name":`) != 5 {
		t.Errorf("%s", got)
	}
	for n := range 300 {
		w.ok(w.log.PutUser(w.ctx, chat.User{Name: fmt.Sprintf("guest-%06d", n), Since: w.clock.Now()}))
	}
	w.connect("zoe1")
	got = w.act("phone1", `{"action":"users"}`)
	if len(got) != 1 || strings.Count(got[0], `"name":`) != 64 || strings.Contains(got[0], "guest") ||
		!strings.Contains(got[0], `{"name":"zoe","status":true}`) {
		t.Errorf("among guests: %s", got)
	}
}
