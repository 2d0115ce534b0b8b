package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/testenv"
)

// patience is how long anything may take.
const patience = time.Minute

// TestMain fails when goroutines are left, and keeps the settings of this machine out.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "confab-shell-")
	if err == nil {
		err = os.Setenv("XDG_CONFIG_HOME", dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
		err = errors.Join(os.RemoveAll(dir), goleak.Find())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// printed is an output that ends the program's context when it has so many lines.
type printed struct {
	mu    sync.Mutex
	b     bytes.Buffer
	lines int
	done  context.CancelFunc
}

func (p *printed) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.b.Write(text)
	if bytes.Count(p.b.Bytes(), []byte("\n")) >= p.lines {
		p.done()
	}
	return len(text), nil
}

// TestSend_Tail sends lines while they are followed, on the laptop's host and on one that works as AWS
// does, where events come doubled and out of order.
func TestSend_Tail(t *testing.T) {
	for _, host := range []string{"direct", "cold"} {
		t.Run(host, func(t *testing.T) {
			e := testenv.Start(t, host, "memstore", testenv.Options{})
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var want []string
			for i := range 150 {
				want = append(want, fmt.Sprint("line ", i))
			}
			half := strings.Join(want[:75], "\n") + "\n"
			rest := strings.Join(want[75:], "\n")
			send := func(lines string) error {
				return (&Send{
					Server: Server{URL: e.URLs[0], Name: "alice"}, Room: "builds", Input: strings.NewReader(lines),
					Screen: &Screen{Out: io.Discard}, Notices: Notices{io.Discard},
				}).Run(ctx)
			}
			if err := send(half); err != nil {
				t.Fatal(err)
			}
			out := &printed{lines: len(want), done: cancel}
			tailing := make(chan error, 1)
			go func() {
				tailing <- (&Tail{
					Server: Server{URL: e.URLs[0], Name: "bob"}, Room: "builds", Last: 1000, Follow: true,
					Screen: &Screen{Out: out}, Notices: Notices{io.Discard},
				}).Run(ctx)
			}()
			if err := send(rest); err != nil && ctx.Err() == nil {
				t.Fatal(err)
			}
			if err := <-tailing; !errors.Is(err, context.Canceled) {
				t.Fatalf("tail: %v", err)
			}
			var got []string
			for line := range strings.Lines(out.b.String()) {
				_, text, _ := strings.Cut(strings.TrimSpace(line), "alice: ")
				got = append(got, text)
			}
			if !slices.Equal(got, want) {
				t.Errorf("printed %d lines: %q", len(got), got)
			}
		})
	}
}

// TestSend_Refused has the user leave the room, on another device, while lines are sent.
func TestSend_Refused(t *testing.T) {
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	other, err := client.Dial(ctx, e.URLs[0], client.Name("alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	input, lines := io.Pipe()
	defer lines.Close()
	sending := make(chan error, 1)
	go func() {
		sending <- (&Send{
			Server: Server{URL: e.URLs[0], Name: "alice"}, Room: "builds", Input: input,
			Screen: &Screen{Out: io.Discard}, Notices: Notices{io.Discard},
		}).Run(ctx)
		input.Close()
	}()
	fmt.Fprintln(lines, "stored")
	for event, err := range other.Events(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := event.(client.Message); ok {
			break
		}
	}
	if err := other.Leave(ctx, "builds"); err != nil {
		t.Fatal(err)
	}
	for range 10 * inFlight { // it does not read on for ever
		if _, err := fmt.Fprintln(lines, "refused"); err != nil {
			break
		}
	}
	if err := <-sending; !errors.Is(err, client.ErrNotMember) {
		t.Errorf("send: %v", err)
	}
}

// TestTail_Removed has somebody removed from the room while it is followed: that ends it, and is said.
func TestTail_Removed(t *testing.T) {
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, e.URLs[0], client.Name("alice"))
	if err == nil {
		err = c.Join(ctx, "ops")
	}
	if err == nil {
		_, err = c.Send(ctx, "ops", "hello")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first, printing := context.WithCancel(ctx)
	tailing := make(chan error, 1)
	go func() {
		tailing <- (&Tail{
			Server: Server{URL: e.URLs[0], Name: "bob"}, Room: "ops", Last: 1, Follow: true,
			Screen: &Screen{Out: &printed{lines: 1, done: printing}}, Notices: Notices{io.Discard},
		}).Run(ctx)
	}()
	<-first.Done() // bob is in
	if err := c.Remove(ctx, "ops", "bob"); err != nil {
		t.Fatal(err)
	}
	err = <-tailing
	if err == nil || ctx.Err() != nil || !strings.HasPrefix(err.Error(), "no longer in ops: ") {
		t.Errorf("tail: %v", err)
	}
}

// TestTail_Beyond asks for what follows a message that there is not yet: it is said, and what comes is
// printed.
func TestTail_Beyond(t *testing.T) {
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, e.URLs[0], client.Name("alice"))
	if err == nil {
		_, err = c.Send(ctx, "lobby", "old")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	saying, said := context.WithCancel(ctx)
	notice, out := &printed{lines: 1, done: said}, &printed{lines: 1, done: cancel}
	tailing := make(chan error, 1)
	go func() {
		tailing <- (&Tail{
			Server: Server{URL: e.URLs[0], Name: "bob"}, Since: Since{seq: 41, kind: "seq"}, Room: "lobby",
			Follow: true, Screen: &Screen{Out: out}, Notices: Notices{notice},
		}).Run(ctx)
	}()
	<-saying.Done()
	if _, err := c.Send(t.Context(), "lobby", "new"); err != nil {
		t.Fatal(err)
	}
	if err := <-tailing; !errors.Is(err, context.Canceled) {
		t.Errorf("tail: %v", err)
	}
	if got := notice.b.String(); got != "confab: the last message of lobby is 1, before 41\n" {
		t.Errorf("said %q", got)
	}
	if got := out.b.String(); !strings.HasSuffix(got, " alice: new\n") || strings.Contains(got, "old") {
		t.Errorf("printed %q", got)
	}
}

// TestTail_Fill lets messages come between the history and the first event: none is missing.
func TestTail_Fill(t *testing.T) {
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, e.URLs[0], client.Name("alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var last client.Message
	for i := range 5 {
		if last, err = c.Send(ctx, "lobby", fmt.Sprint(i+1)); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	command := &Tail{Room: "lobby", Screen: &Screen{Out: &out}, shown: 2}
	for range 2 { // the second time it is there already
		if err := command.fill(ctx, c, last); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]))
	}
	if want := []string{"3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestReadLines(t *testing.T) {
	long := strings.Repeat("é", maxText) // twice as many bytes
	input := "one\r\n\n  \n\x1b[1mtwo\x1b[0m\n1%\r50%\r99%\n" + long + "\nlast"
	texts := make(chan string)
	go readLines(t.Context(), strings.NewReader(input), texts)
	var got []string
	for text := range texts {
		if len(text) > 16_384 { // docs/protocol.md, "Limits"
			t.Errorf("a text of %d bytes", len(text))
		}
		got = append(got, text)
	}
	want := []string{"one", "two", "99%", long[:16_384], long[16_384:], "last"}
	if !slices.Equal(got, want) {
		t.Errorf("got %d texts: %.60q", len(got), got)
	}
	var endless []string
	texts = make(chan string)
	line := "x" + strings.Repeat("😀", 1<<18) // no character ends where a read does
	go readLines(t.Context(), strings.NewReader(line), texts)
	for text := range texts {
		endless = append(endless, text)
	}
	if got := strings.Join(endless, ""); got != line || len(endless) < 64 {
		t.Errorf("of a line of 1 MiB %d bytes come in %d texts", len(got), len(endless))
	}
}

func TestServer_Address(t *testing.T) {
	for text, want := range map[string]string{
		"ws://127.0.0.1:8080":                    "ws://127.0.0.1:8080/production",
		"http://127.0.0.1:8080/":                 "ws://127.0.0.1:8080/production",
		"https://chat.example":                   "wss://chat.example/production",
		"wss://chat.example/dev?dialect=direct":  "wss://chat.example/dev?dialect=direct",
		"ws://[::1]:8080/production/?name=alice": "ws://[::1]:8080/production/?name=alice",
	} {
		if u, err := parseAddress(text); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, u, err, want)
		}
	}
	for _, text := range []string{"", "chat.example", "127.0.0.1:8080", "/production", "ws://"} {
		if u, err := parseAddress(text); err == nil {
			t.Errorf("%q is %s", text, u)
		}
	}
	if u, signedIn, err := (&Server{}).resolve(); err != nil || signedIn || u.String() != "ws://127.0.0.1:8080/production" {
		t.Errorf("without a session: %v, %v, %v", u, signedIn, err)
	}
}
