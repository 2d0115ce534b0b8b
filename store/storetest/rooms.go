package storetest

import (
	"fmt"

	"github.com/confab-chat/confab/chat"
)

func testJoin(l *logTest) {
	l.sub("of an absent room makes it", func(l *logTest) {
		m, h, err := l.A.Join(l.ctx, chat.Join{
			Room: "tea", Name: "Tea", User: "ann", Kind: chat.PublicRoom,
		})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "tea", User: "ann", State: chat.Joined})
		epoch := h.Epoch
		equal(l, "head", h, chat.Head{
			Room: "tea", Name: "Tea", Kind: chat.PublicRoom, Owner: "ann", Epoch: epoch,
		})
		equal(l, "head as read", l.head("tea"), h)
	})
	l.sub("of a present room admits", func(l *logTest) {
		m, h, err := l.B.Join(l.ctx, chat.Join{
			Room: "tea", Name: "TEA", User: "bob", Kind: chat.PublicRoom,
		})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "tea", User: "bob", State: chat.Joined})
		equal(l, "head", h, l.head("tea"))
		equal(l, "name as first written", h.Name, "Tea")
		equal(l, "owner", h.Owner, "ann")
		l.wantMember("tea", "bob", m)
	})
	l.sub("without kind needs the room", func(l *logTest) {
		_, _, err := l.A.Join(l.ctx, chat.Join{Room: "nowhere", Name: "nowhere", User: "ann"})
		wantKind(l, "Join", err, chat.NotFound)
		m, _, err := l.A.Join(l.ctx, chat.Join{Room: "tea", User: "cyd"})
		ok(l, "Join", err)
		equal(l, "state", m.State, chat.Joined)
	})
	l.sub("again gives the same member", func(l *logTest) {
		l.leave("tea", "cyd") // a later generation must not reach those who stay
		for _, log := range []chat.Log{l.A, l.B} {
			for _, user := range []string{"ann", "bob"} {
				m, h, err := log.Join(l.ctx, chat.Join{
					Room: "tea", Name: "tea", User: user, Kind: chat.PublicRoom,
				})
				ok(l, "Join", err)
				equal(l, "member", m, chat.Member{Room: "tea", User: user, State: chat.Joined})
				equal(l, "head's generation", h.Gen, 1)
			}
		}
	})
	l.sub("of a direct room makes it without owner", func(l *logTest) {
		for _, user := range []string{"ann", "bob", "ann"} {
			m, h, err := l.A.Join(l.ctx, chat.Join{
				Room: "@ann,bob", Name: "@ann,bob", User: user, Kind: chat.DirectRoom,
			})
			ok(l, "Join", err)
			equal(l, "member", m, chat.Member{Room: "@ann,bob", User: user, State: chat.Joined})
			equal(l, "head", h, chat.Head{
				Room: "@ann,bob", Name: "@ann,bob", Kind: chat.DirectRoom, Epoch: h.Epoch,
			})
		}
		equal(l, "number of a direct message", l.send("@ann,bob", "bob", "d1", "hi").Seq, 1)
	})
	l.sub("of a public room as a private one", func(l *logTest) {
		private := chat.Join{Room: "tea", Name: "tea", User: "bob", Kind: chat.PrivateRoom}
		_, _, err := l.A.Join(l.ctx, private)
		wantKind(l, "Join by a member", err, chat.Taken)
		private.User = "dan"
		_, _, err = l.A.Join(l.ctx, private)
		wantKind(l, "Join by a stranger", err, chat.Taken)
		private.User = "ann"
		_, h, err := l.A.Join(l.ctx, private)
		ok(l, "Join by the owner", err)
		equal(l, "kind", h.Kind, chat.PublicRoom)
	})
}

// wantMember reads a member on both instances.
func (l *logTest) wantMember(room, user string, want chat.Member) {
	l.Helper()
	for _, log := range []chat.Log{l.A, l.B} {
		m, h, err := log.Member(l.ctx, room, user)
		ok(l, "Member "+user+" of "+room, err)
		equal(l, "member", m, want)
		equal(l, "room of the member's head", h.Room, room)
	}
}

func testJoinPrivate(l *logTest) {
	l.private("den", "ann")
	l.sub("is owned by its maker", func(l *logTest) {
		h := l.head("den")
		equal(l, "head", h, chat.Head{
			Room: "den", Name: "den", Kind: chat.PrivateRoom, Owner: "ann", Epoch: h.Epoch,
		})
		l.wantMember("den", "ann", chat.Member{Room: "den", User: "ann", State: chat.Joined})
	})
	l.sub("is Taken for strangers, whatever they ask for", func(l *logTest) {
		for _, kind := range []chat.RoomKind{0, chat.PublicRoom, chat.PrivateRoom} {
			_, _, err := l.B.Join(l.ctx, chat.Join{Room: "den", Name: "den", User: "bob", Kind: kind})
			wantKind(l, "Join", err, chat.Taken)
		}
		_, _, err := l.B.Member(l.ctx, "den", "bob")
		wantKind(l, "Member", err, chat.NotFound)
		l.refused(l.B, l.draft("den", "bob", "m1", "hi"), chat.NotFound)
	})
	l.sub("admits who is invited", func(l *logTest) {
		l.invite("den", "ann", "bob")
		_, _, err := l.B.Join(l.ctx, chat.Join{
			Room: "den", Name: "den", User: "bob", Kind: chat.PrivateRoom,
		})
		wantKind(l, "Join as one's own private room", err, chat.Taken)
		m, h, err := l.B.Join(l.ctx, chat.Join{
			Room: "den", Name: "den", User: "bob", Kind: chat.PublicRoom,
		})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "den", User: "bob", State: chat.Joined})
		equal(l, "kind", h.Kind, chat.PrivateRoom)
	})
	l.sub("does not admit again who left", func(l *logTest) {
		l.leave("den", "bob")
		_, _, err := l.A.Join(l.ctx, chat.Join{Room: "den", Name: "den", User: "bob"})
		wantKind(l, "Join", err, chat.Taken)
		l.refused(l.A, l.draft("den", "bob", "m2", "hi"), chat.NotMember)
	})
	l.sub("admits again who left and is invited again", func(l *logTest) {
		l.invite("den", "ann", "bob")
		m, _, err := l.A.Join(l.ctx, chat.Join{Room: "den", Name: "den", User: "bob"})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "den", User: "bob", State: chat.Joined, Gen: 1})
	})
	l.sub("admits its owner again", func(l *logTest) {
		l.leave("den", "ann")
		m, h, err := l.A.Join(l.ctx, chat.Join{
			Room: "den", Name: "den", User: "ann", Kind: chat.PrivateRoom,
		})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "den", User: "ann", State: chat.Joined, Gen: 2})
		equal(l, "owner", h.Owner, "ann")
	})
}

func testInvite(l *logTest) {
	l.private("den", "ann")
	l.join("tea", "ann", "bob")
	l.sub("records who invited", func(l *logTest) {
		for range 2 {
			m, h, err := l.A.Join(l.ctx, chat.Join{Room: "den", User: "bob", By: "ann"})
			ok(l, "invitation", err)
			equal(l, "state", m.State, chat.Invited)
			equal(l, "inviter", m.InvitedBy, "ann")
			equal(l, "head", h, l.head("den"))
		}
		m, _, err := l.B.Member(l.ctx, "den", "bob")
		ok(l, "Member", err)
		equal(l, "state as read", m.State, chat.Invited)
		equal(l, "inviter as read", m.InvitedBy, "ann")
	})
	l.sub("to a public room", func(l *logTest) {
		l.invite("tea", "bob", "cyd")
		m, _, err := l.B.Member(l.ctx, "tea", "cyd")
		ok(l, "Member", err)
		equal(l, "inviter", m.InvitedBy, "bob")
		l.refused(l.A, l.draft("tea", "cyd", "m1", "hi"), chat.NotFound)
	})
	l.sub("changes nothing for one who has joined", func(l *logTest) {
		want := chat.Member{Room: "tea", User: "bob", State: chat.Joined}
		m, _, err := l.A.Join(l.ctx, chat.Join{Room: "tea", User: "bob", By: "ann"})
		ok(l, "invitation", err)
		equal(l, "member", m, want)
		l.wantMember("tea", "bob", want)
	})
	l.private("nook", "ann")
	l.invite("nook", "ann", "guest")
	l.invite("nook", "ann", "gone")
	l.join("nook", "gone")
	l.leave("nook", "gone")
	for _, c := range []struct {
		name, room, by string
		want           chat.Kind
	}{
		{"to an absent room", "nowhere", "ann", chat.NotFound},
		{"by a stranger", "nook", "bob", chat.NotFound},
		{"by one who is only invited", "nook", "guest", chat.NotFound},
		{"by one who left", "nook", "gone", chat.NotMember},
	} {
		l.sub(c.name, func(l *logTest) {
			_, _, err := l.A.Join(l.ctx, chat.Join{
				Room: c.room, User: "zoe", By: c.by, Kind: chat.PublicRoom,
			})
			wantKind(l, "invitation", err, c.want)
			_, _, err = l.B.Member(l.ctx, c.room, "zoe")
			wantKind(l, "Member", err, chat.NotFound)
		})
	}
	l.sub("is declined by Leave", func(l *logTest) {
		l.invite("nook", "ann", "dan")
		l.leave("nook", "dan")
		_, _, err := l.A.Join(l.ctx, chat.Join{Room: "nook", User: "dan"})
		wantKind(l, "Join", err, chat.Taken)
	})
}

func testMaxRooms(l *logTest) {
	for i := range chat.MaxRooms {
		l.join(fmt.Sprintf("r%d", i), "ann")
	}
	l.private("den", "bob")
	over := func(room string) error {
		_, _, err := l.A.Join(l.ctx, chat.Join{
			Room: room, Name: room, User: "ann", Kind: chat.PublicRoom,
		})
		return err
	}
	l.sub("over it is Limited and makes no room", func(l *logTest) {
		wantKind(l, "Join", over("more"), chat.Limited)
		heads, err := l.B.Heads(l.ctx, []string{"more"})
		ok(l, "Heads", err)
		equal(l, "heads", heads, nil)
	})
	l.sub("does not count direct rooms, invitations and rooms joined already", func(l *logTest) {
		_, _, err := l.A.Join(l.ctx, chat.Join{
			Room: "@ann,bob", Name: "@ann,bob", User: "ann", Kind: chat.DirectRoom,
		})
		ok(l, "Join of a direct room", err)
		l.invite("den", "bob", "ann")
		wantKind(l, "Join of a room invited to", over("den"), chat.Limited)
		ok(l, "Join again", over("r7"))
		rooms, err := l.B.RoomsOf(l.ctx, "ann")
		ok(l, "RoomsOf", err)
		equal(l, "rooms", len(rooms), 200+3)
	})
	l.sub("counts anew after leaving", func(l *logTest) {
		l.leave("r0", "ann")
		ok(l, "Join", over("den"))
		wantKind(l, "Join", over("more"), chat.Limited)
	})
}

func testLeave(l *logTest) {
	l.join("tea", "ann", "bob", "cyd")
	l.send("tea", "bob", "m1", "one")
	l.sub("ends the membership, again the same", func(l *logTest) {
		for _, log := range []chat.Log{l.A, l.B, l.A} {
			ok(l, "Leave", log.Leave(l.ctx, "tea", "bob"))
			m, _, err := log.Member(l.ctx, "tea", "bob")
			ok(l, "Member", err)
			equal(l, "state", m.State, chat.Left)
			h := l.head("tea")
			equal(l, "generation", h.Gen, 1)
			equal(l, "removed", h.Removed, map[string]uint64{"bob": 1})
		}
		l.refused(l.B, l.draft("tea", "bob", "m2", "two"), chat.NotMember)
	})
	l.sub("tells old receivers from new ones", func(l *logTest) {
		m, h, err := l.B.Join(l.ctx, chat.Join{Room: "tea", User: "bob"})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "tea", User: "bob", State: chat.Joined, Gen: 1})
		equal(l, "bob of before", h.Outdated("bob", 0), true)
		equal(l, "bob of now", h.Outdated("bob", m.Gen), false)
		equal(l, "ann", h.Outdated("ann", 0), false)
		l.leave("tea", "cyd")
		l.leave("tea", "bob")
		equal(l, "removed", l.head("tea").Removed, map[string]uint64{"cyd": 2, "bob": 3})
	})
	l.sub("leaves earlier heads as they were", func(l *logTest) {
		before := l.head("tea")
		l.leave("tea", "ann")
		equal(l, "removed of the earlier head", before.Removed, map[string]uint64{"cyd": 2, "bob": 3})
	})
	l.sub("takes the room from the lists", func(l *logTest) {
		members, _, err := l.B.Members(l.ctx, "tea", "", 10)
		ok(l, "Members", err)
		equal(l, "members", members, nil)
		rooms, err := l.B.RoomsOf(l.ctx, "bob")
		ok(l, "RoomsOf", err)
		equal(l, "rooms", rooms, []chat.Member{{Room: "lobby", User: "bob", State: chat.Joined}})
	})
	l.sub("remembers who left for as long as a subscription lives", func(l *logTest) {
		l.Clock.Advance(chat.SubscriptionTTL - 1e9)
		l.join("tea", "dan")
		l.leave("tea", "dan")
		equal(l, "removed", l.head("tea").Removed, map[string]uint64{"cyd": 2, "bob": 3, "ann": 4, "dan": 5})
	})
	l.sub("of one who never was a member is NotFound", func(l *logTest) {
		wantKind(l, "Leave", l.A.Leave(l.ctx, "tea", "zoe"), chat.NotFound)
		wantKind(l, "Leave of an absent room", l.A.Leave(l.ctx, "nowhere", "ann"), chat.NotFound)
		equal(l, "generation", l.head("tea").Gen, 5)
	})
	l.sub("declines an invitation", func(l *logTest) {
		l.join("milk", "ann")
		l.invite("milk", "ann", "bob")
		l.leave("milk", "bob")
		rooms, err := l.B.RoomsOf(l.ctx, "bob")
		ok(l, "RoomsOf", err)
		equal(l, "rooms", rooms, []chat.Member{{Room: "lobby", User: "bob", State: chat.Joined}})
		h := l.head("milk")
		equal(l, "outdated", h.Outdated("bob", 0), true)
	})
}

func testLobby(l *logTest) {
	l.sub("is there from the start", func(l *logTest) {
		h := l.head("lobby")
		equal(l, "head", h, chat.Head{Room: "lobby", Name: "lobby", Kind: chat.LobbyRoom, Epoch: h.Epoch})
		m, again, err := l.A.Member(l.ctx, "lobby", "ann")
		ok(l, "Member", err)
		equal(l, "member", m, chat.Member{Room: "lobby", User: "ann", State: chat.Joined})
		equal(l, "member's head", again, h)
		p := l.page("lobby", chat.Range{Limit: 10})
		equal(l, "messages", p.Messages, nil)
		equal(l, "page's head", p.Head, h)
	})
	l.sub("takes messages of everyone", func(l *logTest) {
		for i, user := range []string{"ann", "guest-000001"} {
			var head chat.Head
			m, err := l.A.Append(l.ctx, l.draft("lobby", user, "m1", "hi"),
				func(h chat.Head, _ chat.Message) { head = h })
			ok(l, "Append", err)
			equal(l, "number", m.Seq, uint64(i+1))
			equal(l, "then's head", head, l.head("lobby"))
		}
		l.again(l.B, l.draft("lobby", "ann", "m1", "hi"), 1)
	})
	l.sub("is joined by everyone already", func(l *logTest) {
		m, h, err := l.A.Join(l.ctx, chat.Join{
			Room: "lobby", Name: "Lobby", User: "bob", Kind: chat.PublicRoom,
		})
		ok(l, "Join", err)
		equal(l, "member", m, chat.Member{Room: "lobby", User: "bob", State: chat.Joined})
		equal(l, "kind", h.Kind, chat.LobbyRoom)
	})
	l.sub("has no rows", func(l *logTest) {
		members, more, err := l.B.Members(l.ctx, "lobby", "", 10)
		ok(l, "Members", err)
		equal(l, "members", members, nil)
		equal(l, "more", more, false)
		rooms, _, err := l.B.PublicRooms(l.ctx, "", 10)
		ok(l, "PublicRooms", err)
		equal(l, "public rooms", rooms, nil)
	})
}
