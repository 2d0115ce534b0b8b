// Command direct-client listens to the API of direct-python or direct-go and prints what it hears:
//
//	go run . -url wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/production/
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"
)

func main() {
	url := flag.String("url", "ws://127.0.0.1:8080/production/", "the WebSocket `URL` to connect to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener{
		url:       *url,
		heartbeat: 5 * time.Minute, // API Gateway closes what is idle for ten, and pings do not count
		say:       func(line string) { fmt.Println(line) },
		wait:      wait,
	}.run(ctx)
}

// wait waits before the nth attempt in a row to connect: up to 1 s, then 2 s, 4 s … 30 s, at random,
// so that not everybody comes back at once.
func wait(ctx context.Context, n int) {
	longest := min(time.Second<<min(n, 5), 30*time.Second)
	timer := time.NewTimer(rand.N(longest))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
