//go:build !race

package sim_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/sim/checker"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// talker is a line that fails the test where something goes wrong.
type talker struct {
	*sim.Line
	tb  testing.TB
	ctx context.Context
}

func dial(tb testing.TB, h host, user string) *talker {
	tb.Helper()
	return dialFor(tb, h, user, patience)
}

// dialFor connects a user who needs no longer than the limit in all.
func dialFor(tb testing.TB, h host, user string, limit time.Duration) *talker {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	tb.Cleanup(cancel)
	l, err := sim.Dial(ctx, h.url(), user)
	if err != nil {
		tb.Fatalf("dial: %v", err)
	}
	tb.Cleanup(l.Close)
	return &talker{l, tb, ctx}
}

// do sends an action, in which the id must stand, and gives its answer.
func (k *talker) do(id, format string, args ...any) sim.Frame {
	k.tb.Helper()
	f, err := k.Do(k.ctx, id, format, args...)
	if err != nil {
		k.tb.Fatalf("%s: %v", id, err)
	}
	return f
}

func (k *talker) join(room string) sim.Frame {
	k.tb.Helper()
	return k.do("join", `{"action":"joinRoom","id":"join","room":%q}`, room)
}

func (k *talker) say(room, id string) sim.Frame {
	k.tb.Helper()
	return k.do(id, `{"action":"sendMessage","id":%q,"room":%q,"message":%q}`, id, room, "text of "+id)
}

// until gives all events before the one that fits, and that one.
func (k *talker) until(fits func(*sim.Frame) bool) []sim.Frame {
	k.tb.Helper()
	var all []sim.Frame
	for {
		f, err := k.Next(k.ctx)
		if err != nil {
			k.tb.Fatalf("after %d events: %v", len(all), err)
		}
		if all = append(all, f); fits(&f) {
			return all
		}
	}
}

// sync gives everything that was posted before.
func (k *talker) sync() []sim.Frame {
	k.tb.Helper()
	if err := k.Send(k.ctx, `{"action":"ping","id":"sync"}`); err != nil {
		k.tb.Fatal(err)
	}
	return k.until(func(f *sim.Frame) bool { return f.ID == "sync" })
}

// resume says hello with a cursor of the room tea and gives all that comes of it.
func (k *talker) resume(epoch string, seq uint64) []sim.Frame {
	k.tb.Helper()
	err := k.Send(k.ctx, `{"action":"hello","id":"h","resume":{"tea":{"epoch":%q,"seq":%d}}}`, epoch, seq)
	if err != nil {
		k.tb.Fatal(err)
	}
	return k.until(func(f *sim.Frame) bool { return f.Event == "resumed" || f.Event == "reset" })
}

// checkResume compares what a resume sends with what is missed, for every cursor.
func checkResume(tb testing.TB, h host) {
	tb.Helper()
	alice := dial(tb, h, "alice")
	joined := alice.join("tea")
	const all = 10
	for i := range all {
		alice.say("tea", fmt.Sprintf("m%d", i+1))
	}
	for cursor := range all + 1 {
		back := dial(tb, h, "alice")
		var got, want []string
		for _, f := range back.resume(joined.Epoch, uint64(cursor)) {
			got = append(got, fmt.Sprintf("%s %s %d %v", f.Event, f.Text, f.Seq, f.More))
		}
		want = append(want, "welcome  0 false")
		for n := cursor + 1; n <= all; n++ {
			want = append(want, fmt.Sprintf("message text of m%d %d false", n, n))
		}
		want = append(want, fmt.Sprintf("resumed  %d false", all))
		if !slices.Equal(got, want) {
			tb.Errorf("resume after %d:\n got %q\nwant %q", cursor, got, want)
		}
		back.Close()
	}
}

// checkGone lets a room have a receiver whose socket is gone without a word: its row goes at the
// next message, and nobody else's does.
func checkGone(tb testing.TB, l *local) {
	tb.Helper()
	alice, bob := dial(tb, l, "alice"), dial(tb, l, "bob")
	alice.join("tea")
	bob.join("tea")
	l.ahead.Store(int64(time.Minute)) // a young connection might be not yet open
	ghost := chat.Connection{ID: "ghost", User: "ghost", Dialect: "native", ConnectedAt: l.now().Add(-time.Minute)}
	members := []chat.Member{{Room: "tea", User: "ghost", State: chat.Joined}}
	if err := l.conns.Open(context.Background(), ghost, members); err != nil {
		tb.Fatal(err)
	}
	for i := range 3 {
		id := fmt.Sprintf("m%d", i)
		alice.say("tea", id)
		if _, err := bob.Await(bob.ctx, func(f *sim.Frame) bool { return f.ID == id }); err != nil {
			tb.Errorf("bob awaits %s: %v", id, err)
		}
	}
	await(tb, patience, "the row of the gone connection is gone", func() bool {
		_, err := l.conns.Get(context.Background(), "ghost")
		return chat.Is(err, chat.NotFound)
	})
}

// droppy is a host that counts the frames which slow readers have lost.
type droppy interface {
	host
	dropped(testing.TB) int
}

// checkLagging lets a client read nothing while its rooms are busy. When it reads again it is told
// so, once frames were dropped, and sees everything although it never asks.
func checkLagging(tb testing.TB, h droppy, seed uint64) (report *checker.Report, resyncs int) {
	tb.Helper()
	tr := newTraffic(tb, h)
	names := rooms("lag", 2)
	tr.start(sim.Options{User: "laggard", Rooms: names, Silent: true, ReadBuffer: 128 << 10})
	laggard := tr.clients[0]
	await(tb, patience, "the laggard is in", func() bool { return laggard.Joined() })
	laggard.Pause()
	floods := tr.flood(names, seed)
	await(tb, patience, "frames are dropped", func() bool { return h.dropped(tb) > 100 })
	for _, c := range floods {
		c.Stop()
	}
	await(tb, patience, "nothing is said any more", func() bool {
		return !slices.ContainsFunc(floods, func(c *sim.Client) bool { return !c.Settled(nil) })
	})
	laggard.Unpause()
	report = tr.settle()
	return report, laggard.Seen().Resyncs
}

// flood starts writers of long messages.
func (tr *traffic) flood(names []string, seed uint64) []*sim.Client {
	var all []sim.Options
	for i, user := range rooms("flood", 4) {
		all = append(all, sim.Options{User: user, Rooms: names, Window: 8, Seed: seed + uint64(i), Length: 12_000})
	}
	n := len(tr.clients)
	tr.start(all...)
	return tr.clients[n:]
}

// checkLeaving lets a member leave: no message with a later number reaches it.
func checkLeaving(tb testing.TB, h host) {
	tb.Helper()
	alice, bob := dial(tb, h, "alice"), dial(tb, h, "bob")
	history := checker.New()
	writer, leaver := history.Client("alice"), history.Client("bob")
	alice.join("tea")
	bob.join("tea")
	leaver.Follow("tea", 0)
	said, shown := 0, 0
	say := func(n int) {
		for range n {
			said++
			id := fmt.Sprintf("m%d", said)
			attempt := writer.Send("tea", id, "text of "+id)
			attempt.Ack(alice.say("tea", id).Seq)
		}
	}
	see := func(frames []sim.Frame) {
		for _, f := range frames {
			if f.Event == "message" {
				e := checker.Entry{Seq: f.Seq, From: f.From, ID: f.ID, Text: f.Text}
				leaver.Push("tea", e)
				leaver.Show("tea", e)
				shown++
			}
		}
	}
	say(3)
	for tries := 0; shown < said && tries < 1000; tries++ { // a pong can overtake the room's worker
		see(bob.sync())
	}
	bob.do("left", `{"action":"leaveRoom","id":"left","room":"tea"}`)
	leaver.Unfollow("tea", uint64(said))
	say(5)
	see(bob.sync())
	log, err := sim.ReadLog(alice.ctx, h.url(), "alice", "tea")
	if err != nil {
		tb.Fatal(err)
	}
	history.Log("tea", log)
	if err := history.Check().Err(); err != nil {
		tb.Error(err)
	}
}

// checkRestore puts a backup in the place of the data: a client that has seen more than it holds
// is told to start over, also when the room has grown beyond its cursor again.
func checkRestore(tb testing.TB, l *local) {
	tb.Helper()
	alice := dial(tb, l, "alice")
	epoch := alice.join("tea").Epoch
	for i := range 3 {
		alice.say("tea", fmt.Sprintf("kept%d", i))
	}
	backup, restored := filepath.Join(tb.TempDir(), "backup"), filepath.Join(tb.TempDir(), "data")
	if err := sqlitestore.Backup(alice.ctx, l.data, backup, func(int, int) {}); err != nil {
		tb.Fatal(err)
	}
	cursor := alice.say("tea", "lost").Seq
	l.crash(tb)
	if err := sqlitestore.Restore(alice.ctx, backup, restored); err != nil {
		tb.Fatal(err)
	}
	l.data = restored
	l.restart(tb)
	alice = dial(tb, l, "alice")
	for i := range 3 {
		alice.say("tea", fmt.Sprintf("new%d", i))
	}
	all := alice.resume(epoch, cursor)
	if last := all[len(all)-1]; last.Event != "reset" || last.Epoch == epoch || last.Reason == "" {
		tb.Errorf("a cursor of the log before the restore is answered %s", last.Raw)
	}
}

// nobody is a Poster without sockets.
type nobody struct{}

func (nobody) Post(context.Context, []connections.Target, [][]byte) (gone, unsent []connections.Target, err error) {
	return nil, nil, nil
}
func (nobody) Send(context.Context, connections.Target, [][]byte) error     { return nil }
func (nobody) Close(context.Context, connections.Target, int, string) error { return nil }
func (nobody) Later(context.Context, chatapi.Task) error                    { return nil }
func (nobody) Describe(context.Context, connections.Target) (connections.Info, error) {
	return connections.Info{}, nil
}

// checkPresence delivers the events of two devices in every order up to a length, also late and
// repeated ones. A device is there from its $connect to its $disconnect and never again, and who has
// one that is there is online. Another user is there all the time.
func checkPresence(tb testing.TB, p plant, length int) {
	tb.Helper()
	letters := []string{"connect 1", "connect 2", "disconnect 1", "disconnect 2"}
	total := 1
	for range length {
		total *= len(letters)
	}
	for n := range total {
		story := make([]string, length)
		for i := range story {
			story[i] = letters[n%len(letters)]
			n /= len(letters)
		}
		if err := playPresence(p, story); err != nil {
			tb.Errorf("%s: %v", strings.Join(story, ", "), err)
			return
		}
	}
}

// playPresence delivers one story and compares after each event.
func playPresence(p plant, story []string) error {
	var conns chat.Connections = memstore.NewConnections(memstore.Options{})
	if p.conns != nil {
		conns = p.conns(conns)
	}
	svc := chat.NewService(memstore.NewLog(memstore.Options{}), conns, time.Now)
	h := chatapi.New(chatapi.Config{
		Service: svc, Poster: nobody{}, Deferrer: nobody{}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	})
	if err := deliver(h, "connect", "bystander", "bob"); err != nil {
		return err
	}
	live, closed := map[string]bool{}, map[string]bool{}
	for at, event := range story {
		kind, device, _ := strings.Cut(event, " ")
		err := deliver(h, kind, device, "alice")
		switch {
		case kind == "disconnect":
			delete(live, device)
			closed[device] = true
		case !closed[device]:
			live[device] = true
		case err == nil:
			return fmt.Errorf("event %d: a closed connection is opened", at+1)
		}
		if err := comparePresence(svc, map[string]bool{"alice": len(live) > 0, "bob": true}, live); err != nil {
			return fmt.Errorf("event %d: %w", at+1, err)
		}
	}
	return nil
}

// deliver delivers an event; that a handshake is refused is an error.
func deliver(h *chatapi.Handler, kind, id, user string) error {
	var e events.APIGatewayWebsocketProxyRequest
	e.RequestContext.RouteKey, e.RequestContext.ConnectionID = "$"+kind, id
	e.QueryStringParameters = map[string]string{"name": user}
	answer, err := h.Handle(context.Background(), e)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	return err
}

func comparePresence(svc *chat.Service, online, devices map[string]bool) error {
	ctx := context.Background()
	people, _, err := svc.ListUsers(ctx, "", chat.MaxPage)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Online != online[p.User] {
			return fmt.Errorf("%s is online: %v, want %v", p.User, p.Online, online[p.User])
		}
	}
	all, err := svc.Devices(ctx, "alice")
	if err != nil {
		return err
	}
	for _, c := range all {
		if !devices[c.ID] {
			return fmt.Errorf("connection %s is there", c.ID)
		}
	}
	if len(all) != len(devices) {
		return fmt.Errorf("%d connections are there, want %d", len(all), len(devices))
	}
	return nil
}
