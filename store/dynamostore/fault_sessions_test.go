//go:build !race

package dynamostore_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/storetest"
)

// TestF12_SessionsFaultyEngine runs the conformance suite with a fault in one of five requests, as
// lost answers and throttles. No call may show it.
func TestF12_SessionsFaultyEngine(t *testing.T) {
	seed := rand.Uint64()
	faults := newFaulty(seed, 0.2)
	storetest.RunSessions(t, func(tb testing.TB) storetest.SessionsHarness {
		return sessionsOn(newPair(tb, dynamostore.Options{}, faults.hook))
	})
	t.Logf("faults %v", faults.counts)
	fmt.Printf("F12 sessions: faults=%d seed=%d\n", faults.total(), seed)
	if faults.counts[timeoutAfter] == 0 || faults.counts[bareRefusal] == 0 {
		t.Errorf("no answer was lost, or none was bare: %v", faults.counts)
	}
}

// people is a schedule of processes that make accounts.
type people struct {
	schedule
	asked map[string]auth.Account // by id
	told  map[string]error        // by id: what PutAccount gave last
}

// TestF12_Accounts runs random schedules of processes that want the same handles and subjects, lose
// answers and die, and checks what there is afterwards.
func TestF12_Accounts(t *testing.T) {
	runs := 100
	if os.Getenv("CONFAB_DEEP") == "1" {
		runs = 10_000
	}
	client := dynamolocal.Client(dynamolocal.Start(t))
	table := dynamolocal.Table(t, client)
	seed := rand.Uint64()
	made, refused, unknown := 0, 0, 0
	for n := range runs {
		p := &people{
			schedule: schedule{
				T: t, random: rand.New(rand.NewPCG(seed, uint64(n))), endpoint: dynamolocal.Start(t),
				table: table, clock: storetest.NewClock(), asks: make(chan *process),
			},
			asked: map[string]auth.Account{}, told: map[string]error{},
		}
		for _, err := range p.run(client) {
			switch {
			case err == nil:
				made++
			case chat.Is(err, chat.Taken):
				refused++
			default:
				unknown++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d run %d", seed, n)
		}
	}
	fmt.Printf("F12 accounts: runs=%d made=%d taken=%d unknown=%d seed=%d\n",
		runs, made, refused, unknown, seed)
	if made == 0 || refused == 0 || unknown == 0 {
		t.Error("the schedules are not what they should be")
	}
}

// run plays a schedule, and gives what the calls were told.
func (p *people) run(client *dynamodb.Client) (told map[string]error) {
	empty(p.T, client, p.table)
	judge := dynamostore.New(client, dynamostore.Options{Table: p.table, Now: p.clock.Now, Budget: budget})
	for i := range 2 + p.random.IntN(3) {
		a := auth.Account{
			ID:     fmt.Sprint("u-", i),
			Handle: []string{"Ann", "a.n.n", "bob"}[p.random.IntN(3)],
			Since:  p.clock.Now(),
		}
		if p.random.IntN(3) > 0 {
			a.Subject = []string{"i 1", "i 2"}[p.random.IntN(2)]
		}
		p.put(a)
		if p.random.IntN(4) == 0 {
			p.put(a) // twice at the same time
		}
	}
	p.play()
	told = maps.Clone(p.told)
	p.judge(judge)
	p.clock.Advance(time.Minute) // whoever died has died
	p.finish(judge)
	return told
}

// put adds a process that makes an account.
func (p *people) put(a auth.Account) {
	p.asked[a.ID] = a
	p.spawn("put "+a.ID, func(store *dynamostore.Store) {
		err := store.PutAccount(p.Context(), a)
		if told, twice := p.told[a.ID]; !twice || told != nil {
			p.told[a.ID] = err
		}
	})
}

// judge wants whom a call told that there is an account to have it, and handles and subjects to be
// of one account each.
func (p *people) judge(store *dynamostore.Store) {
	p.Helper()
	list, _, err := store.Accounts(p.Context(), "", 100)
	ok(p.T, "Accounts", err)
	of := map[string]string{}
	for _, a := range list {
		equal(p.T, "an account", a, p.asked[a.ID])
		keys := []string{"id " + a.ID, "handle " + auth.HandleKey(a.Handle)}
		if a.Subject != "" {
			keys = append(keys, "subject "+a.Subject)
			found, err := store.AccountBySubject(p.Context(), a.Subject)
			ok(p.T, "AccountBySubject", err)
			equal(p.T, "of the subject", found, a)
		}
		for _, key := range keys {
			if other := of[key]; other != "" {
				p.Errorf("%s and %s both have %s", other, a.ID, key)
			}
			of[key] = a.ID
		}
		found, err := store.AccountByHandle(p.Context(), a.Handle)
		ok(p.T, "AccountByHandle", err)
		equal(p.T, "of the handle", found, a)
	}
	for id := range p.asked {
		_, err := store.Account(p.Context(), id)
		if (err == nil) != (of["id "+id] != "") {
			p.Errorf("Account of %s gives %v, and the list %v", id, err, list)
		}
		if told, known := p.told[id]; known && told == nil && err != nil {
			p.Errorf("%s was told that it has an account: %v", id, err)
		}
	}
}

// finish repeats everything: what was free is had by somebody.
func (p *people) finish(store *dynamostore.Store) {
	for id, a := range p.asked {
		_, before := store.Account(p.Context(), id)
		err := store.PutAccount(p.Context(), a)
		if err != nil && (!chat.Is(err, chat.Taken) || before == nil) {
			p.Errorf("repetition of %s: %v", id, err)
		}
		p.told[id] = err
		p.judge(store)
	}
	for _, handle := range []string{"ann", "bob"} {
		a := auth.Account{ID: "late-" + handle, Handle: handle, Since: p.clock.Now()}
		p.asked[a.ID] = a
		err := store.PutAccount(p.Context(), a)
		_, found := store.AccountByHandle(p.Context(), handle)
		if found != nil || err != nil && !chat.Is(err, chat.Taken) {
			p.Errorf("nobody can have %s: %v, %v", handle, err, found)
		}
	}
	p.judge(store)
}
