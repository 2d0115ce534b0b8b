package dynamostore_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

// TestStore_Leave_prunes looks at the removals that a head keeps, whose size every send pays for.
func TestStore_Leave_prunes(t *testing.T) {
	p := newPair(t, dynamostore.Options{})
	leave := func(user string) {
		t.Helper()
		ok(t, "Leave", p.a.Leave(t.Context(), "tea", user))
	}
	removed := func() (users, times map[string]types.AttributeValue) {
		head := p.getItem(t, "R#tea", "HEAD")
		return head["rm"].(*types.AttributeValueMemberM).Value, head["rt"].(*types.AttributeValueMemberM).Value
	}
	join(t, p.b, "tea", "ann", "bob", "cyd")
	for i := range 30 { // more than one Leave prunes
		user := fmt.Sprintf("u%d", i)
		join(t, p.b, "tea", user)
		leave(user)
	}
	leave("bob")
	p.clock.Advance(chat.SubscriptionTTL / 2)
	join(t, p.b, "tea", "bob")
	leave("bob")
	p.clock.Advance(chat.SubscriptionTTL / 2) // all are old but bob
	leave("cyd")
	leave("ann")
	users, times := removed()
	equal(t, "removals kept", len(users), 3)
	equal(t, "their times", len(times), 3)
	for _, user := range []string{"ann", "bob", "cyd"} {
		equal(t, user+" is kept", users[user] != nil && times[user] != nil, true)
	}
	heads, err := p.b.Heads(t.Context(), []string{"tea"})
	ok(t, "Heads", err)
	equal(t, "bob is outdated", heads[0].Outdated("bob", 31), true) // 30 users and bob left before
}
