//go:build !race

package chatapi_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/wire"
)

// S9 again, with frames that routers and handlers may read differently.
func TestHandler_routeKey_mutated(t *testing.T) {
	keys := routeKeys()
	bodies := 100_000
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 9))
	seeds := bodySeeds(t)
	a, b := stage(t), stage(t)
	refused := 0
	for i := range bodies {
		if i%1000 == 0 { // small rooms keep answers short
			a, b = stage(t), stage(t)
		}
		body := mutate(r, seeds)
		e := a.frame("alice1", body)
		a.handle(e)
		b.frame("alice1", body)
		e.RequestContext.RouteKey = keys[i%len(keys)]
		b.handle(e)
		got, want := everything(b), everything(a)
		if got != want {
			t.Fatalf("seed %d: %q under %q gives\n%s\nwant\n%s", seed, body, e.RequestContext.RouteKey, got, want)
		}
		if strings.Contains(want, `"event":"error"`) {
			refused++
		}
	}
	if refused == 0 || refused == bodies {
		t.Errorf("%d of %d bodies were refused: the mutations say nothing", refused, bodies)
	}
}

// bodySeeds are the frames that mutations begin with: examples and the vectors of package wire.
func bodySeeds(t *testing.T) []string {
	seeds := []string{}
	for _, item := range wire.HelpActions() {
		seeds = append(seeds, string(item.Example), examples[item.Action])
	}
	files, err := filepath.Glob("../wire/testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var vectors any
		if err := json.Unmarshal(text, &vectors); err != nil {
			t.Fatal(err)
		}
		seeds = collect(seeds, vectors)
	}
	return seeds
}

// collect adds the strings of a file that look like frames.
func collect(list []string, v any) []string {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, `"action"`) && len(v) < 4096 {
			list = append(list, v)
		}
	case []any:
		for _, e := range v {
			list = collect(list, e)
		}
	case map[string]any:
		for _, e := range v {
			list = collect(list, e)
		}
	}
	return list
}

// parts are what mutations put in: what routers and handlers read differently.
var parts = []string{
	`"action":"sendMessage",`, `"ACTION":"leaveRoom",`, `"Action":"help",`, `"action":null,`, `"a\u0063tion":"ping",`,
	`"action":["ping"],`, `"room":"tea",`, `"message":"x",`, `{`, `}`, `[`, `]`, `"`, `\`, `,`, `:`, "\x00", "\xff",
	"\ufeff", `\ud800`, `1e400`, ` `, "\n", `/**/`, `'`, `null`, `true`, `"id":"y",`,
}

func mutate(r *rand.Rand, seeds []string) string {
	body := seeds[r.IntN(len(seeds))]
	for range r.IntN(3) {
		at := r.IntN(len(body) + 1)
		switch r.IntN(5) {
		case 0:
			body = body[:at] + parts[r.IntN(len(parts))] + body[at:]
		case 1:
			body = body[:at] + body[min(len(body), at+1+r.IntN(3)):]
		case 2:
			body = body[:at] + string(rune(r.IntN(0x250))) + body[min(len(body), at+1):]
		case 3:
			body = strings.Replace(body, "{", "{"+parts[r.IntN(len(parts))], 1)
		case 4:
			other := seeds[r.IntN(len(seeds))]
			body = body[:at] + other[min(len(other), at):]
		}
	}
	return body
}
