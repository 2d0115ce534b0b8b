package client_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
)

// TestBot runs examples/bot beside the chat.
func TestBot(t *testing.T) {
	program := filepath.Join(t.TempDir(), "bot")
	build := exec.Command("go", "build", "-o", program, "./bot")
	build.Dir = filepath.Join(tools.Root(), "examples")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the bot: %v\n%s", err, out)
	}
	e := testenv.Start(t, "direct", "memstore", testenv.Options{})
	alice := dial(t, e, "alice")
	bot := exec.Command(program, "-chat", e.URLs[0])
	bot.Stderr = os.Stderr
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bot.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := bot.Wait(); err != nil {
			t.Errorf("the bot ended with %v", err)
		}
	}()
	ctx := deadline(t)
	// Until the bot is welcomed it hears nothing.
	for there := false; !there; {
		if _, err := alice.Send(ctx, "lobby", "ping"); err != nil {
			t.Fatal(err)
		}
		soon, stop := context.WithTimeout(ctx, 100*time.Millisecond)
		for event, err := range alice.Events(soon) {
			if m, ok := event.(client.Message); err == nil && ok && m.From == "bot" {
				there = m.Room == "lobby" && m.Text == "pong, alice"
				break
			}
		}
		stop()
	}
	asked, err := alice.SendTo(ctx, "bot", "ping")
	if err != nil {
		t.Fatal(err)
	}
	answer := await(t, alice, func(m client.Message) bool { return m.From == "bot" && m.Room == asked.Room })
	if answer.Text != "pong, alice" || answer.Seq != asked.Seq+1 {
		t.Errorf("asked %+v, answered %+v", asked, answer)
	}
}
