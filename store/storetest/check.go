package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/confab-chat/confab/chat"
)

// failer is a test or a random run.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// wantKind fails the test unless err has the kind.
func wantKind(t failer, what string, err error, kind chat.Kind) {
	t.Helper()
	if !chat.Is(err, kind) {
		t.Fatalf("%s: got error %v, want kind %q", what, err, kind)
	}
}

// ok fails the test on an error.
func ok(t failer, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// equal fails the test when got is not want; nil and empty are the same.
func equal[T any](t failer, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// nobody is the then of an Append whose call does not matter.
func nobody(chat.Head, chat.Message) {}

// draft makes a draft of the present time.
func (l *logTest) draft(room, from, id, text string) chat.Draft {
	return chat.Draft{Room: room, From: from, ID: id, Text: text, At: l.Clock.Now()}
}

// send appends on A and must succeed.
func (l *logTest) send(room, from, id, text string) chat.Message {
	l.Helper()
	m, err := l.A.Append(l.ctx, l.draft(room, from, id, text), nobody)
	ok(l, "Append of "+id, err)
	return m
}

// refused appends on an instance and must fail with the kind, without calling then.
func (l *logTest) refused(log chat.Log, d chat.Draft, kind chat.Kind) {
	l.Helper()
	_, err := log.Append(l.ctx, d, func(chat.Head, chat.Message) {
		l.Errorf("Append of %s called then, want %v", d.ID, kind)
	})
	wantKind(l, "Append of "+d.ID+" by "+d.From, err, kind)
}

// join admits users on A and must succeed; an absent room is made public, by the first of them.
func (l *logTest) join(room string, users ...string) {
	l.Helper()
	for _, user := range users {
		_, _, err := l.A.Join(l.ctx, chat.Join{Room: room, Name: room, User: user, Kind: chat.PublicRoom})
		ok(l, "Join of "+room+" by "+user, err)
	}
}

// private makes a private room on A.
func (l *logTest) private(room, owner string) {
	l.Helper()
	_, _, err := l.A.Join(l.ctx, chat.Join{
		Room: room, Name: room, User: owner, Kind: chat.PrivateRoom,
	})
	ok(l, "Join of the private "+room, err)
}

// invite records an invitation on A.
func (l *logTest) invite(room, by, user string) {
	l.Helper()
	_, _, err := l.A.Join(l.ctx, chat.Join{Room: room, User: user, By: by})
	ok(l, "invitation of "+user+" by "+by, err)
}

// leave ends a membership on A.
func (l *logTest) leave(room, user string) {
	l.Helper()
	ok(l, "Leave of "+room+" by "+user, l.A.Leave(l.ctx, room, user))
}

// head reads a room's head on B.
func (l *logTest) head(room string) chat.Head {
	l.Helper()
	heads, err := l.B.Heads(l.ctx, []string{room})
	ok(l, "Heads of "+room, err)
	if len(heads) != 1 {
		l.Fatalf("Heads of %s: got %d heads, want 1", room, len(heads))
	}
	return heads[0]
}

// page reads a page on B.
func (l *logTest) page(room string, r chat.Range) chat.Page {
	l.Helper()
	p, err := l.B.Messages(l.ctx, room, r)
	ok(l, "Messages of "+room, err)
	return p
}

// all reads a room's whole log on B, as settled as it is, and checks that it is dense from 1.
func (l *logTest) all(room string) []chat.Message {
	l.Helper()
	var all []chat.Message
	for {
		p := l.page(room, chat.Range{After: uint64(len(all)), Limit: chat.MaxPage})
		for _, m := range p.Messages {
			all = append(all, m)
			if m.Seq != uint64(len(all)) {
				l.Fatalf("the log of %s has %d where %d belongs", room, m.Seq, len(all))
			}
		}
		if !p.More || len(p.Messages) == 0 {
			return all
		}
	}
}

// stored are the messages of a log that are not void.
func stored(all []chat.Message) []chat.Message {
	return slices.DeleteFunc(slices.Clone(all), func(m chat.Message) bool { return m.State == chat.Void })
}

// seqs are the numbers of messages.
func seqs(messages []chat.Message) []uint64 {
	numbers := make([]uint64, len(messages))
	for i, m := range messages {
		numbers[i] = m.Seq
	}
	return numbers
}

// ms rounds to what a message's time keeps.
func ms(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
