package shell

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/terminal"
)

// command is what a line that begins with a slash does.
type command struct {
	name, arguments, does string
	least                 int  // arguments
	text                  bool // the last argument is all that follows
	run                   action
}

// action is what a command does with its arguments.
type action func(ctx context.Context, arguments []string) error

// commands are all that there are.
func (t *Chat) commands() []command {
	return []command{
		{"join", "ROOM", "enter a room, and make it if there is none", 1, false, t.ask(t.join)},
		{"leave", "[ROOM]", "leave this room, or another", 0, false, t.ask(t.leave)},
		{"msg", "USER TEXT", "say something to one person", 2, true, t.msg},
		{"who", "", "who is here", 0, false, t.ask(t.who)},
		{"name", "NAME", "be somebody else, where names are believed", 1, false, t.ask(t.rename)},
		{"help", "", "this list", 0, false, t.help},
		{"quit", "", "end, as Ctrl-D does", 0, false, t.quit},
	}
}

// enter does what a line says: text is said, what begins with / is a command, and // says a text
// that begins with /.
func (t *Chat) enter(ctx context.Context, line string) error {
	switch {
	case strings.TrimSpace(line) == "":
		return nil
	case strings.HasPrefix(line, "//"):
		return t.say(ctx, "", line[1:])
	case !strings.HasPrefix(line, "/"):
		return t.say(ctx, "", line)
	}
	return t.command(ctx, t.commands(), line)
}

// command runs a command of the list.
func (t *Chat) command(ctx context.Context, list []command, line string) error {
	name, rest, _ := strings.Cut(line[1:], " ")
	i := slices.IndexFunc(list, func(c command) bool { return c.name == name })
	if i < 0 {
		t.Console.Notice("There is no /%s. Commands: %s", terminal.CleanLine(name), usages(list))
		return nil
	}
	c := list[i]
	arguments := strings.Fields(rest)
	if c.text && len(arguments) >= c.least {
		arguments = splitText(rest, c.least)
	}
	if len(arguments) < c.least {
		t.Console.Notice("Want /%s %s", c.name, c.arguments)
		return nil
	}
	if !t.Console.Interactive() {
		t.settle(ctx) // a person sees the answer; a transcript should have it in its place
	}
	return t.answer(c.run(ctx, arguments))
}

// answer says an error of a command that only concerns the command.
func (t *Chat) answer(err error) error {
	var refused *client.Error
	switch {
	case errors.As(err, &refused):
		t.Console.Notice("%s", terminal.CleanLine(Sentence(err)))
	case errors.Is(err, context.DeadlineExceeded):
		t.Console.Notice("The server does not answer.")
	default:
		return err
	}
	return nil
}

// ask does what needs an answer. A person does not wait for it while the line is down.
func (t *Chat) ask(run action) action {
	return func(ctx context.Context, arguments []string) error {
		if t.Console.Interactive() && t.client.State() != client.Online {
			t.Console.Notice("The line is down.")
			return nil
		}
		if t.Console.Interactive() {
			bounded, cancel := context.WithTimeout(ctx, answerLimit)
			defer cancel()
			ctx = bounded
		}
		return run(ctx, arguments)
	}
}

// answerLimit is how long a person waits for an answer.
const answerLimit = 15 * time.Second

// splitText gives so many arguments, of which the last is all that follows.
func splitText(rest string, count int) []string {
	var arguments []string
	for range count - 1 {
		rest = strings.TrimLeft(rest, " \t")
		end := strings.IndexAny(rest, " \t")
		arguments = append(arguments, rest[:end])
		rest = rest[end+1:]
	}
	return append(arguments, strings.TrimSpace(rest))
}

// usages lists commands with their arguments.
func usages(list []command) string {
	all := make([]string, len(list))
	for i, c := range list {
		all[i] = strings.TrimSpace("/" + c.name + " " + c.arguments)
	}
	return strings.Join(all, ", ")
}

func (t *Chat) join(ctx context.Context, arguments []string) error {
	return t.goTo(ctx, arguments[0])
}

func (t *Chat) leave(ctx context.Context, arguments []string) error {
	room := t.here()
	if len(arguments) > 0 {
		room = arguments[0]
	}
	if err := t.client.Leave(ctx, room); err != nil {
		return err
	}
	t.Console.Notice("You have left %s.", terminal.CleanLine(room))
	if strings.EqualFold(room, t.here()) {
		return t.goTo(ctx, lobby)
	}
	return nil
}

// lobby is the room that everybody is in.
const lobby = "lobby"

func (t *Chat) msg(ctx context.Context, arguments []string) error {
	return t.say(ctx, arguments[0], arguments[1])
}

// who lists the members of the room; in the lobby, where everybody is, those who are online.
func (t *Chat) who(ctx context.Context, _ []string) error {
	room := t.here()
	all, event := t.client.Members(ctx, room), "members"
	if room == lobby {
		all, event = t.client.Users(ctx), "users"
	}
	online, offline, err := t.people(all)
	if err != nil {
		return err
	}
	if t.JSON {
		return t.screen.putJSON(members{
			{"event", event}, {"room", room}, {"online", list(online)}, {"offline", list(offline)},
		})
	}
	text := "Here: " + strings.Join(online, ", ")
	if len(offline) > 0 && room != lobby {
		text += ". Away: " + strings.Join(offline, ", ")
	}
	return t.screen.put(text)
}

// people sets apart who is there and who is not.
func (t *Chat) people(list iter.Seq2[client.Person, error]) (online, offline []string, err error) {
	for p, err := range list {
		if err != nil {
			return nil, nil, err
		}
		name := p.User
		if !t.JSON {
			name = t.screen.Style.Name(p.User)
		}
		if p.Online {
			online = append(online, name)
		} else {
			offline = append(offline, name)
		}
	}
	return online, offline, nil
}

func (t *Chat) rename(ctx context.Context, arguments []string) error {
	if err := t.client.SetName(ctx, arguments[0]); err != nil {
		return err
	}
	t.Console.Notice("You are %s.", terminal.CleanLine(arguments[0]))
	return t.goTo(ctx, lobby)
}

func (t *Chat) help(context.Context, []string) error { return t.explain(t.commands()) }

// explain prints a list of commands.
func (t *Chat) explain(list []command) error {
	for _, c := range list {
		left := strings.TrimSpace("/" + c.name + " " + c.arguments)
		left += strings.Repeat(" ", max(1, 18-len(left)))
		if err := t.screen.put(left + c.does); err != nil {
			return err
		}
	}
	return t.screen.put(
		"Everything else is said in the room; a text that begins with / after another /.")
}

func (t *Chat) quit(context.Context, []string) error { return errQuit }
