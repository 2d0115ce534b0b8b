package shell

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/testenv"
)

func TestParseSince(t *testing.T) {
	zone := time.FixedZone("here", 2*3600)
	now := time.Date(2026, 11, 21, 14, 30, 0, 0, zone)
	for text, want := range map[string]Since{
		"":                     {},
		"0":                    {kind: "seq"},
		"41":                   {kind: "seq", seq: 41},
		"90s":                  {kind: "time", time: now.Add(-90 * time.Second)},
		"1h30m":                {kind: "time", time: now.Add(-90 * time.Minute)},
		"7d":                   {kind: "time", time: now.Add(-7 * 24 * time.Hour)},
		"2026-11-21":           {kind: "time", time: time.Date(2026, 11, 21, 0, 0, 0, 0, zone)},
		"2026-11-21 14:00":     {kind: "time", time: time.Date(2026, 11, 21, 14, 0, 0, 0, zone)},
		"2026-11-21T14:00:05":  {kind: "time", time: time.Date(2026, 11, 21, 14, 0, 5, 0, zone)},
		"2026-11-21T14:00:05Z": {kind: "time", time: time.Date(2026, 11, 21, 14, 0, 5, 0, time.UTC)},
	} {
		got, err := ParseSince(text, now)
		if err != nil || got.kind != want.kind || got.seq != want.seq || !got.time.Equal(want.time) {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "-5m", "-1", "d", "1.5d", "21.11.2026", "9007199254740992"} {
		if got, err := ParseSince(text, now); err == nil || !strings.Contains(err.Error(), "--since") {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

// TestSince_Start looks for times in a room with tombstones, where only some numbers have a time.
func TestSince_Start(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC).UnixMilli())
	server := testenv.Start(t, "direct", "memstore", testenv.Options{
		Now: func() time.Time { return time.UnixMilli(now.Load()).UTC() },
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := client.Dial(ctx, server.URLs[0], client.Name("alice"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Join(ctx, "ops"); err != nil {
		t.Fatal(err)
	}
	var at []time.Time
	for i := range 60 {
		m, err := c.Send(ctx, "ops", fmt.Sprint(i+1))
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, m.At)
		now.Add(time.Minute.Milliseconds())
		if m.Seq > 5 && m.Seq <= 40 {
			if err := c.Delete(ctx, "ops", m.Seq); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		since time.Time
		start uint64 // all up to it was said before, or is a tombstone after what was
		want  []string
	}{
		"before all":       {at[0].Add(-time.Hour), 0, append(numbers(1, 5), numbers(41, 60)...)},
		"the very first":   {at[0], 0, append(numbers(1, 5), numbers(41, 60)...)},
		"after the first":  {at[0].Add(time.Millisecond), 1, append(numbers(2, 5), numbers(41, 60)...)},
		"among tombstones": {at[20], 5, numbers(41, 60)},
		"the very last":    {at[59], 59, numbers(60, 60)},
		"after all":        {at[59].Add(time.Millisecond), 60, nil},
	} {
		place := Since{kind: "time", time: tt.since}
		newest, err := c.History(ctx, "ops", client.Newest(1))
		if err != nil {
			t.Fatal(err)
		}
		if start, err := place.start(ctx, c, newest); err != nil || start != tt.start {
			t.Errorf("%s: after %d, %v, want %d", name, start, err, tt.start)
		}
		if got := tail(t, server, Tail{Room: "ops", Since: place}); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
	for count, want := range map[int][]string{
		0: nil, 1: numbers(60, 60), 20: numbers(41, 60), 250: append(numbers(1, 5), numbers(41, 60)...),
	} {
		if got := tail(t, server, Tail{Room: "ops", Last: count}); !slices.Equal(got, want) {
			t.Errorf("the last %d: got %v, want %v", count, got, want)
		}
	}
}

func numbers(from, to int) []string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// tail gives the texts that are printed.
func tail(t *testing.T, e *testenv.Env, command Tail) []string {
	t.Helper()
	var out strings.Builder
	command.Server = Server{URL: e.URLs[0], Name: "bob"}
	command.Screen, command.Notices = &Screen{Out: &out}, Notices{io.Discard}
	command.Timeout = patience
	if err := command.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(out.String()) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), "alice: ")
		all = append(all, text)
	}
	return all
}
