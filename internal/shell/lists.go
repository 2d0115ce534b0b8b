package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// Lists prints who and what there is.
type Lists struct {
	Server
	Timeout time.Duration // in all; 0: none
	Screen  *Screen
	Notices Notices
}

// ask connects, within the time limit, and asks.
func (l *Lists) ask(
	ctx context.Context, question func(context.Context, *client.Client) error,
) error {
	if l.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, l.Timeout)
		defer cancel()
		ctx = bounded
	}
	c, err := l.dial(ctx, l.Timeout)
	if err != nil {
		return late(err)
	}
	defer c.Close()
	return late(question(ctx, c))
}

// Users prints the known users, or the members of a room; with online only those who are there.
func (l *Lists) Users(ctx context.Context, room string, online bool) error {
	return l.ask(ctx, func(ctx context.Context, c *client.Client) error {
		people := c.Users(ctx)
		if room != "" {
			if _, err := c.History(ctx, room, client.Newest(1)); isOutside(err) {
				if err := enter(ctx, c, room, l.Notices); err != nil {
					return err
				}
			}
			people = c.Members(ctx, room)
		}
		for p, err := range people {
			if err == nil && (p.Online || !online) {
				err = l.person(p)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// row prints a name and what there is to say about it: a tab apart for programs, in columns for
// people.
func (l *Lists) row(name, rest string, faint bool) error {
	gap := "\t"
	if l.Screen.Style.Columns > 0 {
		gap = strings.Repeat(" ", max(2, nameColumn-terminal.Width(name)))
		rest = strings.ReplaceAll(rest, "\t", "  ")
	}
	if faint {
		rest = l.Screen.Style.Faint(rest)
	}
	_, err := fmt.Fprintf(l.Screen.Out, "%s%s%s\n", name, gap, rest)
	return err
}

// nameColumn is how wide the column of names is for people.
const nameColumn = 24

// person prints a user, and whether the user is there.
func (l *Lists) person(p client.Person) error {
	if l.Screen.JSON {
		return l.Screen.putJSON(members{{"user", p.User}, {"online", p.Online}})
	}
	state := "offline"
	if p.Online {
		state = "online"
	}
	return l.row(l.Screen.Style.Name(p.User), state, !p.Online)
}

// Rooms prints one's rooms, one's invitations, and the public rooms.
func (l *Lists) Rooms(ctx context.Context) error {
	return l.ask(ctx, func(ctx context.Context, c *client.Client) error {
		for r, err := range c.Rooms(ctx) {
			if err == nil {
				err = l.room(r)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// room prints a room: what one has to do with it, and the number of its last message.
func (l *Lists) room(r client.Room) error {
	if l.Screen.JSON {
		line := members{{"room", r.Name}}
		switch {
		case r.Member:
			line = append(line, member{"seq", r.Seq}, member{"epoch", r.Epoch})
		case r.Invited:
			line = append(line, member{"invited", true}, member{"by", r.By})
		}
		return l.Screen.putJSON(line)
	}
	what := "public"
	switch {
	case r.Member:
		what = fmt.Sprintf("member\t%d", r.Seq)
	case r.Invited:
		what = "invited by " + terminal.CleanLine(r.By)
	}
	return l.row(terminal.CleanLine(r.Name), what, !r.Member)
}

// enter joins a room that exists: a public one, or one that one is invited to.
func enter(ctx context.Context, c *client.Client, room string, n Notices) error {
	for r, err := range c.Rooms(ctx) {
		if err != nil {
			return err
		}
		if strings.EqualFold(r.Name, room) {
			return join(ctx, c, r.Name, n)
		}
	}
	return fmt.Errorf("there is no room %q that you can read", terminal.CleanLine(room))
}
