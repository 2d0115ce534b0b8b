package client

import (
	"time"

	"github.com/confab-chat/confab/wire"
)

// helloID is the id of hello, and of what answers it.
const helloID = reserved + "hello"

// dues is what is to be written now, and when there may be more.
type dues struct {
	now, next time.Time
	frames    [][]byte
	err       error
}

// add writes an action.
func (d *dues) add(a *action) {
	frame, err := a.encode()
	if err != nil {
		d.err = err
		return
	}
	d.frames = append(d.frames, frame)
}

// at looks again at that time.
func (d *dues) at(t time.Time) {
	if t.Before(d.next) {
		d.next = t
	}
}

// due gives what is to be written on a link now, and when to ask again at the latest. An error ends
// the link.
func (c *Client) due(l *link, now time.Time) (frames [][]byte, next time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := &dues{now: now, next: now.Add(time.Hour)}
	switch {
	case !l.greeted:
		c.greet(l, d)
	case l == c.link:
		d.frames, c.typing = c.typing, nil
		c.ask(l, d)
		c.fetch(l, d)
		c.sendWaiting(l, d)
		c.beat(l, d)
		l.turnOver(d)
	}
	return d.frames, d.next, d.err
}

// greet says hello, with the cursors of the rooms.
func (c *Client) greet(l *link, d *dues) {
	cursors := map[string]resumed{}
	for name, r := range c.rooms {
		if r.next == 0 || r.epoch == "" || len(cursors) == wire.MaxResume {
			continue // welcome tells how far the room is
		}
		cursors[name] = resumed{r.epoch, r.shown()}
		c.idle(r)
		r.resuming, r.busy = l, d.now.Add(c.o.answer)
		c.want(r, r.busy)
	}
	l.greeted, l.pinged = true, d.now
	d.add(&action{Action: wire.Hello, ID: helloID, Resume: cursors})
}

// beat sends a heartbeat, or finds that the last one was not answered.
func (c *Client) beat(l *link, d *dues) {
	if l.ping == "" && !l.pingAt.After(d.now) {
		l.ping, l.pinged = c.requests.newID(), d.now
		d.add(&action{Action: wire.Ping, ID: l.ping})
	}
	limit := l.pingAt
	if l.ping != "" {
		if limit = l.pinged.Add(c.o.answer); !limit.After(d.now) {
			d.err = ErrSilent
		}
	}
	d.at(limit)
}

// waited looks at something that was sent and is not answered: after a third of the time the
// server has for an answer a heartbeat asks whether it is there, after all of it the answer counts
// as lost.
func (c *Client) waited(l *link, sent time.Time, d *dues) (lost bool) {
	limit := sent.Add(c.o.answer)
	if !limit.After(d.now) {
		return true
	}
	d.at(limit)
	if doubt := sent.Add(c.o.answer / 3); doubt.After(d.now) {
		d.at(doubt)
	} else if l.ping == "" && !l.pinged.After(sent) {
		l.pingAt = d.now
	}
	return false
}

// turnOver asks for another link when it is time.
func (l *link) turnOver(d *dues) {
	if l.turnAt.IsZero() {
		return
	}
	if l.turnAt.After(d.now) {
		d.at(l.turnAt)
		return
	}
	l.turnAt = time.Time{}
	select {
	case l.turn <- struct{}{}:
	default:
	}
}
