package shell

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/confab-chat/confab/internal/terminal"
	"github.com/confab-chat/confab/internal/testenv"
)

// converse has a program type lines, and gives what is printed and said.
func converse(t *testing.T, chat *Chat, lines string) (printed, said string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dir := t.TempDir()
	open := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	out, notices := open("out"), open("notices")
	if chat.Console, err = terminal.OpenConsole(strings.NewReader(lines), out, notices, "> ", false); err != nil {
		t.Fatal(err)
	}
	defer chat.Console.Close()
	chat.Room, chat.Timeout = "lobby", patience
	err = chat.Run(ctx)
	text := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return text("out"), text("notices"), err
}

// TestChat_settle waits at the end as long as acknowledgements come, however slowly, and 5 s more.
func TestChat_settle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		chat := &Chat{heard: make(chan struct{}, 1), own: map[string]string{"1": "", "2": "", "3": "", "4": ""}}
		for i, id := range []string{"1", "2", "3"} {
			time.AfterFunc(time.Duration(i+1)*4*time.Second, func() { chat.forget(id) })
		}
		time.AfterFunc(15*time.Second, func() { chat.forget("another's") })
		begin := time.Now()
		if left := chat.settle(t.Context()); left != 1 || time.Since(begin) != 17*time.Second {
			t.Errorf("after %v without %d of 4", time.Since(begin), left)
		}
	})
}

// TestChat_Hosts talks on the laptop's host and on one that works as AWS does.
func TestChat_Hosts(t *testing.T) {
	for _, host := range []string{"direct", "cold"} {
		t.Run(host, func(t *testing.T) {
			e := testenv.Start(t, host, "memstore", testenv.Options{})
			chat := &Chat{Server: Server{URL: e.URLs[0], Name: "alice"}}
			printed, said, err := converse(t, chat, "hello\n/who\n/join tea\nmilk?\nsugar?\n/leave\nbye\n")
			want := "📨 Message from [alice]: [hello]\nHere: alice\n" +
				"📨 Message from [alice]: [milk?]\n📨 Message from [alice]: [sugar?]\n📨 Message from [alice]: [bye]\n"
			if printed != want || err != nil {
				t.Errorf("%v, printed:\n%s\nwant:\n%s", err, printed, want)
			}
			if want := "You are in tea.\nYou have left tea.\nYou are in lobby.\n"; said != want {
				t.Errorf("said:\n%s\nwant:\n%s", said, want)
			}

			chat = &Chat{Server: Server{URL: e.URLs[0] + "?dialect=direct"}}
			printed, said, err = converse(t, chat, "Hello to all\n/direct nobody signing {}\n/id\nlast\n")
			if strings.Count(printed, "Your connection id: ") != 2 || strings.Contains(printed, "{") {
				t.Errorf("printed:\n%s", printed)
			}
			for _, text := range []string{
				"📨 Message from [someone]: [Hello to all]\n", "📨 Message from [someone]: [last]\n",
			} {
				if !strings.Contains(printed, text) {
					t.Errorf("no %q is printed, but:\n%s", text, printed)
				}
			}
			// On AWS a refusal may come after everything else, and nothing tells that there will be one.
			if host == "direct" && !strings.HasPrefix(said, "The server refuses that: ") || err != nil {
				t.Errorf("%v, said:\n%s", err, said)
			}
		})
	}
}
