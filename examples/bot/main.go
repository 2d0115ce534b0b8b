// Command bot answers "ping" in every room that it is in, and in private: run `confab serve`, then
// `go run ./bot` in the folder above. It survives lost connections and restarts of the server, and
// answers each message once.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/signal"

	"github.com/confab-chat/confab/client"
)

func main() {
	address := flag.String("chat", "ws://127.0.0.1:8080/production", "address of the chat")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := answer(ctx, *address); ctx.Err() == nil {
		log.Print(err)
	}
}

func answer(ctx context.Context, address string) error {
	c, err := client.Dial(ctx, address, client.Name("bot"))
	if err != nil {
		return err
	}
	defer c.Close()
	for event, err := range c.Events(ctx) {
		m, ok := event.(client.Message)
		if ok && m.Text == "ping" && m.From != c.User() {
			_, err = c.Send(ctx, m.Room, "pong, "+m.From)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
