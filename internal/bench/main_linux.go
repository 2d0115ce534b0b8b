package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

// sizes are the numbers of connections.
var sizes = []int{10, 30, 100, 300, 1000, 3000, 10000}

// series is one way to divide the connections.
type series struct {
	name       string
	roomSize   func(size int) int
	stallEvery int  // one in so many reads nothing; 0: all read
	bare       bool // on the bare loop
	costs      []float64
}

func main() {
	log.SetFlags(0)
	program := flag.String("program", "./confab", "the program to measure")
	reference := flag.String("reference", "", "the load generator's `limits`, to measure beside it")
	plot := flag.String("plot", "", "file for the plot, an SVG")
	rounds := flag.Int("rounds", 3, "repetitions, of which the least counts")
	flag.Parse()
	whole := func(size int) int { return size }
	ten := func(int) int { return 10 }
	all := []*series{
		{name: "rooms of 10", roomSize: ten},
		{name: "one room", roomSize: whole},
		{name: "one room, 1 % stalled", roomSize: whole, stallEvery: 100},
	}
	if *reference != "" {
		all = append(all, &series{name: "bare loop, rooms of 10", roomSize: ten, bare: true},
			&series{name: "bare loop, one room", roomSize: whole, bare: true})
	}
	for _, s := range all {
		start := func() (*server, error) { return launch(*program) }
		if s.bare {
			start = func() (*server, error) { return launchBare(*reference) }
		}
		if err := s.measure(start, *rounds); err != nil {
			log.Fatalf("bench: %s: %v", s.name, err)
		}
	}
	fmt.Print(table(all))
	if *plot != "" {
		if err := os.WriteFile(*plot, []byte(draw(all)), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// measure fills in the cost of a delivery at each size, in microseconds of the server's processor
// time; 0 where the series has no such size.
func (s *series) measure(start func() (*server, error), rounds int) error {
	for _, size := range sizes {
		least := 0.0
		for range rounds {
			if s.stallEvery > size {
				break
			}
			cost, err := s.cost(start, size)
			if err != nil {
				return fmt.Errorf("%d connections: %w", size, err)
			}
			if least == 0 || cost < least {
				least = cost
			}
		}
		s.costs = append(s.costs, least)
	}
	return nil
}

// Times of one measurement. Those who stall are closed 10 s after they have begun to.
const (
	settling  = 1500 * time.Millisecond // until presence has been told
	measuring = 2 * time.Second
	underWay  = 10 // messages at once, each in a room of its own
)

func (s *series) cost(start func() (*server, error), size int) (float64, error) {
	server, err := start()
	if err != nil {
		return 0, err
	}
	defer server.kill()
	c, err := gather(server, size, s.roomSize(size), s.stallEvery)
	if err != nil {
		return 0, err
	}
	defer c.close()
	time.Sleep(settling)
	before, err := server.cpu()
	if err != nil {
		return 0, err
	}
	deliveries := 0
	for begun := time.Now(); time.Since(begun) < measuring; {
		n, err := c.publish(underWay)
		if err != nil {
			return 0, err
		}
		deliveries += n
	}
	after, err := server.cpu()
	return float64((after - before).Microseconds()) / float64(deliveries), err
}

// table is the costs in Markdown.
func table(all []*series) string {
	var b strings.Builder
	b.WriteString("| connections |")
	for _, s := range all {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---|", len(all)))
	for i, size := range sizes {
		fmt.Fprintf(&b, "| %d |", size)
		for _, s := range all {
			if s.costs[i] == 0 {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %.2f µs |", s.costs[i])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
