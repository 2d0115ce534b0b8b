package client_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/testenv"
)

// patience is how long anything may take.
const patience = time.Minute

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial connects a user until the test ends. A store that is slow to answer is asked again.
func dial(t *testing.T, e *testenv.Env, user string, options ...client.Option) *client.Client {
	t.Helper()
	options = append(options, client.Name(user))
	c, err := client.Dial(deadline(t), e.URLs[0], options...)
	var refused *client.HandshakeError
	for errors.As(err, &refused) && refused.Status == http.StatusServiceUnavailable {
		c, err = client.Dial(deadline(t), e.URLs[0], options...)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// await gives the next event of a type that fits.
func await[E client.Event](t *testing.T, c *client.Client, fits func(E) bool) E {
	t.Helper()
	for event, err := range c.Events(deadline(t)) {
		if err != nil {
			t.Fatalf("waiting for %T: %v", *new(E), err)
		}
		if e, ok := event.(E); ok && (fits == nil || fits(e)) {
			return e
		}
	}
	panic("the sequence ended without an error")
}

func TestClient_Send(t *testing.T) {
	testenv.Each(t, testenv.Options{Own: true}, func(t *testing.T, e *testenv.Env) {
		ctx := deadline(t)
		alice, bob := dial(t, e, "alice"), dial(t, e, "bob")
		for _, c := range []*client.Client{alice, bob} {
			if err := c.Join(ctx, "tea"); err != nil {
				t.Fatal(err)
			}
		}
		sent, err := alice.Send(ctx, "tea", "milk?")
		if err != nil || sent.Room != "tea" || sent.Seq != 1 || sent.From != "alice" || sent.Text != "milk?" {
			t.Fatalf("sent %+v, %v", sent, err)
		}
		for _, c := range []*client.Client{alice, bob} {
			got := await[client.Message](t, c, nil)
			if !got.At.Equal(sent.At) || got.Cursor() != sent.Cursor() || got.ID != sent.ID || got.Text != "milk?" {
				t.Errorf("%s got %+v, sent was %+v", c.User(), got, sent)
			}
		}
		direct, err := bob.SendTo(ctx, "alice", "psst")
		if err != nil || direct.Seq != 1 {
			t.Fatalf("sent %+v, %v", direct, err)
		}
		if got := await[client.Message](t, alice, nil); got.From != "bob" || got.Room != direct.Room || got.Text != "psst" {
			t.Errorf("alice got %+v", got)
		}
		if _, err := alice.Send(ctx, "nowhere", "hello?"); !errors.Is(err, client.ErrNotFound) {
			t.Errorf("a room that is not there: %v", err)
		}
		page, err := alice.History(ctx, "tea", client.Newest(10))
		if err != nil || len(page.Messages) != 1 || page.Messages[0].Text != "milk?" || page.More {
			t.Errorf("history %+v, %v", page, err)
		}
		var names []string
		for p, err := range alice.Users(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, p.User)
		}
		if !slices.Equal(names, []string{"alice", "bob"}) {
			t.Errorf("users %q", names)
		}
		if err := bob.SetName(ctx, "alice"); !errors.Is(err, client.ErrTaken) {
			t.Errorf("a name that somebody has: %v", err)
		}
		if err := bob.Leave(ctx, "tea"); err != nil {
			t.Fatal(err)
		}
		if left := await[client.Left](t, bob, nil); left.Room != "tea" {
			t.Errorf("left %+v", left)
		}
		if err := bob.SetName(ctx, "rob"); err != nil {
			t.Fatal(err)
		}
		if sent, err := bob.Send(ctx, "lobby", "it is me"); err != nil || sent.From != "rob" {
			t.Errorf("sent under another name: %+v, %v", sent, err)
		}
	})
}
