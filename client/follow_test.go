package client_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/confab-chat/confab/client"
)

// resumes checks the cursor of the room tea in hello.
func resumes(t *testing.T, hello frame, epoch string, seq int) {
	t.Helper()
	all, _ := hello.fields["resume"].(map[string]any)
	tea, _ := all["tea"].(map[string]any)
	if tea["epoch"] != epoch || tea["seq"] != float64(seq) {
		t.Errorf("hello is %s, want tea from %s and %d", hello.raw, epoch, seq)
	}
}

// after checks the number that a page of history is to follow.
func after(t *testing.T, asked frame, seq int) {
	t.Helper()
	if asked.fields["room"] != "tea" || asked.fields["after"] != float64(seq) {
		t.Errorf("asked %s, want what follows %d", asked.raw, seq)
	}
}

func TestClient_order(t *testing.T) {
	t.Run("a message that is early waits for the one before", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.texts(2, 1, 1, 2)
			s.shows(c, 1, 2)
			s.nothing(c)
			time.Sleep(400 * time.Millisecond)
			p.silent()
			s.end(c)
		})
	})
	t.Run("what is missing is fetched after 300 ms", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.texts(1, 3)
			s.shows(c, 1)
			begin := time.Now()
			asked := p.next("history")
			if waited := asked.at.Sub(begin); waited < 299*time.Millisecond || waited > 301*time.Millisecond {
				t.Errorf("held for %v", waited)
			}
			after(t, asked, 1)
			s.nothing(c)
			p.page(asked, false, 2, 3)
			s.shows(c, 2, 3)
			s.end(c)
		})
	})
	t.Run("a lost last message is noticed by the heartbeat", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(4, "")
			p.pong(p.next("ping"), 5)
			asked := p.next("history")
			after(t, asked, 4)
			p.page(asked, false, 5)
			s.shows(c, 5)
			s.end(c)
		})
	})
	t.Run("resync is fetched at once", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(4, "")
			begin := time.Now()
			p.send(`{"event":"resync","room":"tea","seq":6}`)
			asked := p.next("history")
			if asked.at.After(begin) {
				t.Errorf("asked after %v", asked.at.Sub(begin))
			}
			p.page(asked, false, 5, 6)
			s.shows(c, 5, 6)
			s.end(c)
		})
	})
	t.Run("numbers that were never used are not shown", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.texts(1)
			p.send(`{"event":"message","room":"tea","seq":2,"void":true}`)
			p.send(`{"event":"message","room":"tea","seq":3,"deleted":true}`)
			p.texts(4)
			s.shows(c, 1)
			s.expect(c, client.Message{Room: "tea", Seq: 3, Epoch: "e1", Deleted: true})
			s.shows(c, 4)
			s.end(c)
		})
	})
	t.Run("a page without what was given is asked for again after 1 s", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.texts(1, 3)
			first := p.next("history")
			p.page(first, true)
			second := p.next("history")
			if waited := second.at.Sub(first.at); waited != time.Second {
				t.Errorf("asked again after %v", waited)
			}
			p.page(second, false, 2, 3)
			s.shows(c, 1, 2, 3)
			s.end(c)
		})
	})
	t.Run("pages follow one another", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.texts(5)
			p.page(p.next("history"), true, 1, 2)
			asked := p.next("history")
			after(t, asked, 2)
			p.page(asked, true, 3, 4)
			s.shows(c, 1, 2, 3, 4, 5)
			s.end(c)
		})
	})
}

func TestClient_resume(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		p.texts(1, 2)
		s.shows(c, 1, 2)
		p.cut()
		if d, ok := s.event(c).(client.Disconnected); !ok || d.Err == nil || d.In < 0 || d.In > time.Second {
			t.Errorf("told %#v", d)
		}
		if c.State() != client.Waiting {
			t.Errorf("state %v", c.State())
		}
		p = <-s.peers
		resumes(t, p.welcome(5, ""), "e1", 2)
		s.expect(c, client.Connected{User: "alice", ConnectionID: "c1"})
		p.texts(3, 4)
		time.Sleep(time.Second)
		p.silent() // the server is still sending what was missed
		p.send(`{"event":"resumed","id":"h","room":"tea","seq":4,"more":true}`)
		asked := p.next("history")
		after(t, asked, 4)
		p.page(asked, false, 5)
		s.shows(c, 3, 4, 5)
		s.end(c)
	})
}

func TestClient_From(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, err := client.Dial(t.Context(), "ws://chat.example/production", client.HTTPClient(s.http),
			client.Lazy(), client.From(map[string]client.Cursor{"tea": {Epoch: "e1", Seq: 7}}))
		if err != nil {
			t.Fatal(err)
		}
		p := <-s.peers
		resumes(t, p.welcome(8, ""), "e1", 7)
		p.texts(8)
		s.expect(c, client.Connected{User: "alice", ConnectionID: "c1"})
		s.shows(c, 8)
		s.end(c)
	})
}

func TestClient_reset(t *testing.T) {
	const reset = `{"event":"reset","id":"h","room":"tea","epoch":"e2","firstSeq":3,"reason":"restored"}`
	const page = `{"event":"history","id":%q,"room":"tea","messages":[` +
		`{"room":"tea","seq":%d,"epoch":"e2","id":"n","from":"bob","message":"new","at":"2026-11-21T12:00:00.000Z"}` +
		`],"more":false,"seq":%d,"epoch":"e2"}`
	fresh := func(m client.Event, seq uint64) bool {
		got, ok := m.(client.Message)
		return ok && got.Seq == seq && got.Epoch == "e2" && got.Text == "new"
	}
	t.Run("told by the server, twice", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(9, "")
			p.cut()
			s.event(c)
			p = <-s.peers
			p.welcome(3, "")
			p.send(reset)
			p.send(reset)
			s.event(c)
			s.expect(c, client.Reset{Room: "tea", Epoch: "e2", FirstSeq: 3, Reason: "restored"})
			asked := p.next("history")
			after(t, asked, 2)
			p.send(page, asked.id(), 3, 3)
			if m := s.event(c); !fresh(m, 3) {
				t.Errorf("shown %#v", m)
			}
			s.nothing(c)
			s.end(c)
		})
	})
	t.Run("seen in a heartbeat", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(1, "")
			p.send(`{"event":"pong","id":%q,"rooms":[{"room":"tea","seq":1,"epoch":"e2"}]}`, p.next("ping").id())
			p.send(page, p.next("history").id(), 1, 1)
			if r, ok := s.event(c).(client.Reset); !ok || r.Room != "tea" || r.Epoch != "e2" || r.FirstSeq != 1 {
				t.Errorf("told %#v", r)
			}
			p.send(page, p.next("history").id(), 1, 1)
			if m := s.event(c); !fresh(m, 1) {
				t.Errorf("shown %#v", m)
			}
			s.end(c)
		})
	})
}

// TestClient_reset_expired has another log, of which the first messages are no longer kept: one reset says
// both.
func TestClient_reset_expired(t *testing.T) {
	const page = `{"event":"history","id":%q,"room":"tea","messages":[],"more":false,"seq":5,"epoch":"e2","firstSeq":6}`
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(1, "")
		p.send(`{"event":"pong","id":%q,"rooms":[{"room":"tea","seq":5,"epoch":"e2"}]}`, p.next("ping").id())
		p.send(page, p.next("history").id())
		if r, ok := s.event(c).(client.Reset); !ok || r.Epoch != "e2" || r.FirstSeq != 6 {
			t.Errorf("told %#v", r)
		}
		asked := p.next("history")
		after(t, asked, 5)
		p.send(page, asked.id())
		s.nothing(c)
		s.end(c)
	})
}

// TestClient_expired misses messages that the server then keeps no longer.
func TestClient_expired(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "")
		p.texts(9)
		p.send(`{"event":"history","id":%q,"room":"tea","messages":[],"more":false,"seq":9,"epoch":"e1","firstSeq":10}`,
			p.next("history").id())
		s.expect(c, client.Reset{
			Room: "tea", Epoch: "e1", FirstSeq: 10, Reason: "older messages are no longer kept",
		})
		p.texts(10)
		s.shows(c, 10)
		p.pong(p.next("ping"), 10) // nothing is missing any more
		s.nothing(c)
		s.end(c)
	})
}

func TestClient_rooms(t *testing.T) {
	t.Run("a room of two users begins with its first message", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.send(`{"event":"message","room":"@alice,bob","seq":2,"epoch":"d","id":"x","from":"bob","message":"two","at":"2026-11-21T12:00:00.000Z"}`)
			if asked := p.next("history"); asked.fields["room"] != "@alice,bob" || asked.fields["after"] != 0.0 {
				t.Errorf("asked %s", asked.raw)
			}
			s.nothing(c)
			s.end(c)
		})
	})
	t.Run("a message that overtakes the answer to joining", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			joined := make(chan error)
			go func() { joined <- c.Join(t.Context(), "den") }()
			asked := p.next("joinRoom")
			p.send(`{"event":"message","room":"den","seq":7,"epoch":"d","id":"x","from":"bob","message":"seven","at":"2026-11-21T12:00:00.000Z"}`)
			p.send(`{"event":"joined","id":%q,"room":"den","seq":5,"epoch":"d"}`, asked.id())
			if err := <-joined; err != nil {
				t.Error(err)
			}
			s.expect(c, client.Joined{Room: "den", Seq: 5, Epoch: "d"})
			if asked := p.next("history"); asked.fields["room"] != "den" || asked.fields["after"] != 5.0 {
				t.Errorf("asked %s", asked.raw)
			}
			s.end(c)
		})
	})
	t.Run("one is out when two lists lack the room", func(t *testing.T) {
		play(t, func(t *testing.T, s *stage) {
			c, p := s.client(0, "")
			p.send(`{"event":"pong","id":%q,"rooms":[]}`, p.next("ping").id())
			s.nothing(c)
			p.send(`{"event":"pong","id":%q,"rooms":[]}`, p.next("ping").id())
			s.expect(c, client.Left{Room: "tea", Reason: "no longer a member"})
			p.texts(1) // on its way when one left
			s.nothing(c)
			s.end(c)
		})
	})
}

// TestClient_slow has a caller that takes nothing for a while: it misses no message, and is told how
// many other events it missed.
func TestClient_slow(t *testing.T) {
	play(t, func(t *testing.T, s *stage) {
		c, p := s.client(0, "", client.Buffer(4))
		p.texts(1, 2, 3, 4, 5, 6)
		for range 3 {
			p.send(`{"event":"typing","room":"tea","user":"bob"}`)
		}
		time.Sleep(time.Second)
		p.silent() // nothing is fetched that could not wait for the caller
		s.shows(c, 1, 2)
		asked := p.next("history")
		after(t, asked, 4)
		p.page(asked, false, 5, 6)
		synctest.Wait()
		s.shows(c, 3, 4, 5, 6)
		s.expect(c, client.Missed{Count: 3})
		s.nothing(c)
		s.end(c)
	})
	play(t, func(t *testing.T, s *stage) {
		const last = 600 // more than a room holds, and than a page has
		c, p := s.client(0, "", client.Buffer(4))
		for n := 1; n <= last; n++ {
			p.texts(n)
		}
		synctest.Wait()
		go func() {
			for f := range p.frames {
				switch f.fields["action"] {
				case "ping":
					p.pong(f, last)
				case "history":
					first := int(f.fields["after"].(float64)) + 1
					p.page(f, first+200 <= last, count(first, min(first+199, last))...)
				}
			}
		}()
		s.shows(c, count(1, last)...)
		s.end(c)
	})
}

// count counts from one number to another.
func count(from, to int) (all []int) {
	for n := from; n <= to; n++ {
		all = append(all, n)
	}
	return all
}
