package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/confab-chat/confab/chat"
)

// told remembers the calls of then.
type told struct {
	mu       sync.Mutex
	heads    []chat.Head
	messages []chat.Message
}

func (r *told) then(h chat.Head, m chat.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heads = append(r.heads, h)
	r.messages = append(r.messages, m)
}

// check compares the calls of then with the stored messages.
func (r *told) check(l *logTest, all []chat.Message) {
	l.Helper()
	for i, h := range r.heads {
		if h.Seq != r.messages[i].Seq {
			l.Errorf("then of %d was given the head of %d", r.messages[i].Seq, h.Seq)
		}
	}
	got, want := seqs(r.messages), seqs(stored(all))
	if !l.Ordered {
		slices.Sort(got)
		got = slices.Compact(got)
	}
	if !slices.Equal(got, want) {
		l.Errorf("then was called for %v, stored are %v", got, want)
	}
}

// instance gives one of the two.
func (l *logTest) instance(i int) chat.Log { return []chat.Log{l.A, l.B}[i%2] }

// testWriters has 50 writers in one room over both instances, with a reader of each.
func testWriters(l *logTest) {
	const writers = 50
	each := 20
	if l.Slow {
		each = 4
	}
	l.join("tea", "ann")
	var log told
	var answers sync.Map // the number of each answer, by id
	var writing, reading sync.WaitGroup
	var done atomic.Bool
	for w := range writers {
		user := fmt.Sprintf("u%02d", w)
		l.join("tea", user)
		writing.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%s-%d", user, i)
				m, err := l.instance(w+i).Append(l.ctx, l.draft("tea", user, id, "text of "+id), log.then)
				if err != nil {
					l.Errorf("Append: %v", err)
					return
				}
				answers.Store(id, m)
			}
		})
	}
	views := make([][]chat.Message, 2)
	for i := range views {
		reading.Go(func() { views[i] = l.follow(l.instance(i), "tea", &done) })
	}
	writing.Wait()
	done.Store(true)
	reading.Wait()
	all := l.all("tea")
	for _, view := range views {
		equal(l, "what a reader saw meanwhile", view, all)
	}
	checkWriters(l, all, &answers, writers*each)
	log.check(l, all)
}

// checkWriters compares the log with the answers; of one writer the order is kept.
func checkWriters(l *logTest, all []chat.Message, answers *sync.Map, want int) {
	l.Helper()
	next := map[string]int{}
	for _, m := range stored(all) {
		answer, found := answers.Load(m.ID)
		if !found {
			l.Fatalf("%s is in the log and was not answered", m.ID)
		}
		equal(l, "message", m, answer.(chat.Message))
		equal(l, "text", m.Text, "text of "+m.ID)
		equal(l, "next id of "+m.From, m.ID, fmt.Sprintf("%s-%d", m.From, next[m.From]))
		next[m.From]++
	}
	equal(l, "stored messages", len(stored(all)), want)
}

// follow reads a room from its start to its end, until done.
func (l *logTest) follow(log chat.Log, room string, done *atomic.Bool) []chat.Message {
	var seen []chat.Message
	for l.ctx.Err() == nil {
		last := done.Load()
		p, err := log.Messages(l.ctx, room, chat.Range{After: uint64(len(seen)), Limit: 50})
		if err != nil {
			l.Errorf("Messages: %v", err)
			return seen
		}
		for _, m := range p.Messages {
			if m.Seq != uint64(len(seen))+1 {
				l.Errorf("a reader after %d was given %d", len(seen), m.Seq)
				return seen
			}
			seen = append(seen, m)
		}
		if last && !p.More {
			break
		}
	}
	return seen
}

// testRacingIDs sends equal messages at once over both instances.
func testRacingIDs(l *logTest) {
	l.join("tea", "ann")
	ids, racers := 40, 6
	if l.Slow {
		ids = 10
	}
	var log told
	for i := range ids {
		id := fmt.Sprintf("m%d", i)
		answers := make([]chat.Message, racers)
		var racing sync.WaitGroup
		for r := range racers {
			racing.Go(func() {
				m, err := l.instance(r).Append(l.ctx, l.draft("tea", "ann", id, "same"), log.then)
				if err != nil {
					l.Errorf("Append: %v", err)
				}
				answers[r] = m
			})
		}
		racing.Wait()
		firsts := 0
		for _, m := range answers {
			if !m.Duplicate {
				firsts++
			}
			m.Duplicate = answers[0].Duplicate
			equal(l, "answer", m, answers[0])
		}
		if firsts == 0 || l.Ordered && firsts > 1 {
			l.Fatalf("%s: %d answers of %d say that they are the first", id, firsts, racers)
		}
	}
	all := l.all("tea")
	equal(l, "stored messages", len(stored(all)), ids)
	log.check(l, all)
}

// testRacingLeave has a user send as fast as it can while it leaves and joins again.
func testRacingLeave(l *logTest) {
	rounds := 20
	if l.Slow {
		rounds = 5
	}
	l.join("tea", "ann")
	var log told
	for round := range rounds {
		l.join("tea", "bob")
		member, _, err := l.B.Member(l.ctx, "tea", "bob")
		ok(l, "Member", err)
		var left atomic.Bool
		var senders sync.WaitGroup
		answers := make([][]chat.Message, 4)
		for s := range answers {
			senders.Go(func() { answers[s] = l.sendUntilRefused(s, fmt.Sprintf("r%d-%d", round, s), &left, log.then) })
		}
		for i := range 3 {
			l.send("tea", "ann", fmt.Sprintf("a%d-%d", round, i), "x")
		}
		ok(l, "Leave", l.A.Leave(l.ctx, "tea", "bob"))
		left.Store(true)
		limit := l.head("tea")
		_, err = l.A.Append(l.ctx, l.draft("tea", "ann", fmt.Sprintf("b%d", round), "x"), log.then)
		ok(l, "Append by ann", err)
		senders.Wait()
		equal(l, "bob is outdated", limit.Outdated("bob", member.Gen), true)
		for _, m := range slices.Concat(answers...) {
			if m.Seq > limit.Seq {
				l.Fatalf("bob's message has number %d, but when he had left the head was %d", m.Seq, limit.Seq)
			}
		}
		log.removed(l, limit.Seq, "bob", member.Gen)
	}
}

// removed checks the heads of the calls with numbers above seq: they must tell that the user was removed.
func (r *told) removed(l *logTest, seq uint64, user string, gen uint64) {
	l.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.heads {
		if h.Seq > seq && !h.Outdated(user, gen) {
			l.Fatalf("the head of %d does not tell that %s left after %d", h.Seq, user, seq)
		}
	}
}

// sendUntilRefused appends by bob until it is NotMember, and gives what was stored.
func (l *logTest) sendUntilRefused(
	i int, id string, left *atomic.Bool, then func(chat.Head, chat.Message),
) []chat.Message {
	var sent []chat.Message
	for n := 0; l.ctx.Err() == nil; n++ {
		late := left.Load()
		m, err := l.instance(i).Append(l.ctx, l.draft("tea", "bob", fmt.Sprintf("%s-%d", id, n), "x"), then)
		if chat.Is(err, chat.NotMember) {
			return sent
		}
		if err != nil {
			l.Errorf("Append: %v", err)
			return sent
		}
		if late {
			l.Errorf("Append of %d succeeded after Leave had returned", m.Seq)
			return sent
		}
		sent = append(sent, m)
	}
	return sent
}

// testRacingMakers has users make the same room at once.
func testRacingMakers(l *logTest) {
	for _, kind := range []chat.RoomKind{chat.PublicRoom, chat.PrivateRoom} {
		name := map[chat.RoomKind]string{chat.PublicRoom: "public", chat.PrivateRoom: "private"}[kind]
		l.sub(name, func(l *logTest) {
			for round := range 5 {
				l.makeAtOnce(fmt.Sprintf("%s%d", name, round), kind)
			}
		})
	}
}

func (l *logTest) makeAtOnce(room string, kind chat.RoomKind) {
	l.Helper()
	users := []string{"ann", "bob", "cyd", "dan", "eve", "fay"}
	errs := make([]error, len(users))
	var racing sync.WaitGroup
	for i, user := range users {
		racing.Go(func() {
			_, _, errs[i] = l.instance(i).Join(l.ctx, chat.Join{
				Room: room, Name: room, User: user, Kind: kind,
			})
		})
	}
	racing.Wait()
	h := l.head(room)
	if !slices.Contains(users, h.Owner) {
		l.Fatalf("%s is owned by %q", room, h.Owner)
	}
	for i, user := range users {
		if kind == chat.PrivateRoom && user != h.Owner {
			wantKind(l, "Join by "+user, errs[i], chat.Taken)
			continue
		}
		ok(l, "Join by "+user, errs[i])
		l.wantMember(room, user, chat.Member{Room: room, User: user, State: chat.Joined})
	}
}
