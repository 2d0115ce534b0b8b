package chatapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
)

// TestS1_Origins connects to https://chat.example from pages of 40 origins, of which three are its own or
// allowed ones, and from a program.
func TestS1_Origins(t *testing.T) {
	refused := strings.Fields(`null https://evil.example https://chat.example.evil.example
		https://evilchat.example https://chat.exampl https://chat.example.
		http://chat.example http://app.example https://chat.example:8443 https://chat.example:80
		https://app.example:8443 https://app.example:443 https://www.chat.example https://a.app.example
		https://chat.example/ https://chat.example/a https://chat.example?a https://chat.example#a
		https://me@chat.example https://chat.example@evil.example https://:@chat.example
		https://chat.example:443:443 https://chat.example: HTTPS://chat.example HTTPS://app.example
		https://APP.example wss://chat.example ws://chat.example file://chat.example file:// data:
		chat.example //chat.example https:chat.example https:///chat.example
		https://xn--cht-5na.example https://chаt.example`) // the last but one and the last: another a
	refused = append(refused, "https://chat.example https://evil.example", " https://evil.example", "https://")
	admitted := []string{"https://chat.example", "https://chat.example:443", "https://app.example"}
	if n := len(refused) + len(admitted); n < 40 {
		t.Fatalf("%d origins", n)
	}
	w := newWorld(t, with(func(c *chatapi.Config) { c.AllowedOrigins = []string{"https://app.example"} }))
	number := 0
	status := func(origin string, sent bool) int {
		number++
		e := w.connectEvent(fmt.Sprint("c", number), map[string]string{"name": fmt.Sprint("user", number)})
		e.Headers["X-Forwarded-Proto"] = "https"
		if sent {
			e.Headers["Origin"] = origin
		}
		return w.handle(e).StatusCode
	}
	for _, origin := range refused {
		if got := status(origin, true); got != http.StatusForbidden {
			t.Errorf("Origin %q: status %d, want 403", origin, got)
		}
	}
	for _, origin := range admitted {
		if got := status(origin, true); got != http.StatusOK {
			t.Errorf("Origin %q: status %d, want 200", origin, got)
		}
	}
	if got := status("", true); got != http.StatusForbidden {
		t.Errorf("an empty Origin: status %d, want 403", got)
	}
	if got := status("", false); got != http.StatusOK {
		t.Errorf("a program: status %d, want 200", got)
	}
}

// TestS6_Revocations revokes 1,000 sessions while each of them sends as fast as it can: afterwards each
// connection is closed and has no row, and what it sends is not stored (G17).
func TestS6_Revocations(t *testing.T) {
	const revocations, people = 1000, 10
	c := newClub(t)
	for i := range people {
		c.member(fmt.Sprint("user", i))
	}
	for n := 0; n < revocations; n += people {
		var all sync.WaitGroup
		for i := range people {
			handle := fmt.Sprint("user", i)
			link, _, err := c.desk.AddDevice(c.ctx, nil, handle)
			c.ok(err)
			_, signed, err := c.desk.SignIn(c.ctx, link, "", "")
			c.ok(err)
			id := fmt.Sprint(handle, "-", n)
			c.enter(id, signed)
			all.Go(func() { c.revokeSending(id, signed) })
		}
		all.Wait()
		if len(c.poster.closed) != people {
			t.Fatalf("%d connections are closed, want %d", len(c.poster.closed), people)
		}
		clear(c.poster.closed)
		c.poster.forget()
	}
}

// revokeSending ends a session while its connection sends.
func (c *club) revokeSending(id string, signed auth.Signed) {
	handle := signed.Account.Handle
	send := func(messageID, text string) {
		const frame = `{"action":"sendMessage","id":%q,"to":%q,"message":%q}`
		if _, err := c.h.Handle(c.ctx, c.frame(id, fmt.Sprintf(frame, messageID, handle, text))); err != nil {
			c.Error(err)
		}
	}
	const most = 30 // messages: the revocation falls somewhere between them
	begun := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		for k := range most {
			send(fmt.Sprint(id, "-", k), "hi")
			if k == 0 {
				close(begun)
			}
		}
	})
	<-begun
	session := signed.Session.Hash.ID()
	_, err := c.desk.SignOut(c.ctx, nil, handle, session)
	if err == nil {
		err = c.h.Revoke(c.ctx, handle, session, "signed out")
	}
	if err != nil {
		c.Error(err)
	}
	send(id+"-late", "late")
	if _, err := c.conns.Get(c.ctx, id); !chat.Is(err, chat.NotFound) {
		c.Errorf("%s has a row: %v", id, err)
	}
	sender.Wait()
	last := chat.Range{Before: chat.Newest, Limit: most + 1}
	page, err := c.log.Messages(c.ctx, chat.DirectID(handle, handle), last)
	if err != nil || len(page.Messages) == 0 {
		c.Errorf("%s has sent nothing: %v", handle, err)
	}
	for _, m := range page.Messages {
		if m.Text == "late" {
			c.Errorf("%s has said %s after its session had ended", handle, m.ID)
		}
	}
}
