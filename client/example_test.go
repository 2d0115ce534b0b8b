package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/store/memstore"
)

// chat runs a server, as `confab serve --memory` does, and gives its address.
func chat() (address string, stop func()) {
	server, err := serve.New(serve.Config{Log: memstore.NewLog(memstore.Options{}), Drain: time.Millisecond})
	if err != nil {
		log.Fatal(err)
	}
	house := httptest.NewServer(server)
	return "ws" + strings.TrimPrefix(house.URL, "http") + "/production", func() {
		if err := server.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
		house.Close()
	}
}

func Example() {
	address, stop := chat() // for example ws://127.0.0.1:8080/production
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	alice, err := client.Dial(ctx, address, client.Name("alice"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alice.Close()
	bob, err := client.Dial(ctx, address, client.Name("bob"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bob.Close()

	sent, err := alice.Send(ctx, "lobby", "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("stored in the %s as number %d\n", sent.Room, sent.Seq)

	for event, err := range bob.Events(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if m, ok := event.(client.Message); ok {
			fmt.Printf("%s: %s\n", m.From, m.Text)
			break
		}
	}
	// Output:
	// stored in the lobby as number 1
	// alice: hello
}

// A switch over the types of events that matter to a program is all it needs.
func ExampleClient_Events() {
	address, stop := chat()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, address, client.Name("alice"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Join(ctx, "tea"); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Send(ctx, "tea", "milk?"); err != nil {
		fmt.Println(err)
		return
	}
	for event, err := range c.Events(ctx) {
		if err != nil {
			fmt.Println("over:", err)
			break
		}
		switch e := event.(type) {
		case client.Connected:
			fmt.Println("connected as", e.User)
		case client.Joined:
			fmt.Println("in", e.Room)
		case client.Message:
			fmt.Printf("%s, number %d: %s\n", e.Room, e.Seq, e.Text)
			go c.Close()
		case client.Disconnected:
			fmt.Println("line lost, next attempt in", e.In)
		case client.Reset:
			fmt.Println("forget what was shown of", e.Room)
		}
	}
	// Output:
	// connected as alice
	// in tea
	// tea, number 1: milk?
	// over: client: closed
}

// Many messages are under way at once when nothing waits for each of them. With an outbox file they
// are sent even if the program ends before: by its next run.
func ExampleClient_Queue() {
	address, stop := chat()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	folder, err := os.MkdirTemp("", "confab")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	c, err := client.Dial(ctx, address, client.Name("alice"), client.Outbox(filepath.Join(folder, "outbox")))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	for _, text := range []string{"one", "two", "three"} {
		if _, err := c.Queue(ctx, client.Draft{Room: "lobby", Text: text}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := c.Flush(ctx); err != nil { // all are acknowledged or refused
		fmt.Println(err)
		return
	}
	page, err := c.History(ctx, "lobby", client.Newest(10))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range page.Messages {
		fmt.Println(m.Seq, m.Text)
	}
	// Output:
	// 1 one
	// 2 two
	// 3 three
}

// A program that keeps the cursors of what it has dealt with misses nothing while it does not run.
func ExampleFrom() {
	address, stop := chat()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	alice, err := client.Dial(ctx, address, client.Name("alice"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer alice.Close()
	first, err := alice.Send(ctx, "lobby", "before")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := alice.Send(ctx, "lobby", "meanwhile"); err != nil {
		fmt.Println(err)
		return
	}

	cursors := map[string]client.Cursor{"lobby": first.Cursor()} // as bob's last run has kept it
	bob, err := client.Dial(ctx, address, client.Name("bob"), client.From(cursors))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer bob.Close()
	for event := range bob.Events(ctx) {
		if m, ok := event.(client.Message); ok {
			fmt.Println(m.Text)
			break
		}
	}
	// Output: meanwhile
}

// What a server refuses has a name.
func ExampleError() {
	address, stop := chat()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, address, client.Name("alice"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	_, err = c.Send(ctx, "tee", "anybody here?")
	if errors.Is(err, client.ErrNotFound) {
		fmt.Println(err)
	}
	// Output: client: no room tee that you are a member of (not_found)
}
