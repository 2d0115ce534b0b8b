package testenv_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
	"github.com/confab-chat/confab/internal/tools"
)

// transcript is what the clients of one write-up send and get; testdata/transcripts/README.md has the
// form of the files.
type transcript struct {
	name     string
	document int
	options  testenv.Options
	quotes   []string
	steps    []step
}

// step is one line of a transcript.
type step struct {
	line int
	who  string
	what string // connects, is (refused), leaves, > or <
	text string
}

// transcripts reads all files.
func transcripts(t *testing.T) []transcript {
	t.Helper()
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d transcripts, want 5: %v", len(files), err)
	}
	list := make([]transcript, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = parseTranscript(t, strings.TrimSuffix(filepath.Base(file), ".txt"), text)
	}
	return list
}

func parseTranscript(t *testing.T, name string, text []byte) transcript {
	t.Helper()
	script := transcript{name: name, options: testenv.Options{OneByOne: true}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		who, rest, _ := strings.Cut(line, " ")
		what, text, _ := strings.Cut(rest, " ")
		switch {
		case line == "" || who == "#":
		case who == "document":
			_, err := fmt.Sscanf(line, "document %d dialect %s stage %s",
				&script.document, &script.options.Dialect, &script.options.Stage)
			if err != nil {
				t.Fatalf("%s: %q: %v", name, line, err)
			}
		case who == "|":
			script.quotes = append(script.quotes, rest)
		case who == "": // it goes on with the line before
			script.steps[len(script.steps)-1].text += "\n" + line
		case slices.Contains([]string{"connects", "is", "leaves", ">", "<"}, what):
			script.steps = append(script.steps, step{n, who, what, text})
		default:
			t.Fatalf("%s: %q is no line of a transcript", name, line)
		}
	}
	return script
}

// emptied are the transcripts that need an empty table: one lists all users, one the lobby's first messages.
var emptied = []string{"article", "console"}

// TestTranscripts plays what each write-up prints, over real sockets, on every host and store.
func TestTranscripts(t *testing.T) {
	for _, script := range transcripts(t) {
		t.Run(script.name, func(t *testing.T) {
			t.Parallel()
			testenv.Each(t, script.options, script.play)
			if testenv.HasStage() && !slices.Contains(emptied, script.name) {
				t.Run("aws+dynamostore", func(t *testing.T) {
					script.play(t, testenv.Start(t, "aws", "dynamostore", script.options))
				})
			}
		})
	}
}

// play plays the transcript from its first line to its last.
func (s *transcript) play(t *testing.T, e *testenv.Env) {
	t.Helper()
	p := player{
		t: t, env: e, clients: map[string]*testenv.Client{}, values: map[string]string{},
		stage: s.options.Stage, dialect: s.options.Dialect,
	}
	for _, step := range s.steps {
		p.play(step)
	}
	for who, c := range p.clients {
		for _, f := range c.Rest() {
			t.Errorf("%s got, and the transcript does not have it: %s", who, f.Raw)
		}
	}
}

// TestTranscripts_Quotes compares what the transcripts quote with the write-ups themselves.
func TestTranscripts_Quotes(t *testing.T) {
	for _, script := range transcripts(t) {
		t.Run(script.name, func(t *testing.T) {
			text, err := os.ReadFile(tools.WriteUp(t, script.document))
			if err != nil {
				t.Fatal(err)
			}
			if len(script.quotes) < 3 {
				t.Errorf("%d quotes", len(script.quotes))
			}
			for _, quote := range script.quotes {
				if !strings.Contains(singleSpaced(string(text)), singleSpaced(quote)) {
					t.Errorf("not in the write-up: %s", quote)
				}
			}
		})
	}
}

// singleSpaced gives a text with one blank for each run of white space; one write-up has indented its
// code with no-break spaces that were decoded twice.
func singleSpaced(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(text, "\u00c2\u00a0", " ")), " ")
}

// The comparison finds what differs: a transcript that passes says something.
func TestTranscripts_Compare(t *testing.T) {
	for _, try := range []struct {
		want, got string
		same      bool
	}{
		{"Hello AWS", "Hello AWS", true},
		{"Hello AWS", "Hello AWS ", false},
		{"Hello AWS", `"Hello AWS"`, false},
		{`{"members":["Alice"]}`, `{"members":["Alice"]}`, true},
		{`{"members":["Alice","Bob"]}`, `{"members":["Bob","Alice"]}`, false},
		{`{"members":["Alice"]}`, `{"members":["Alice"],"more":false}`, false},
		{`{"members":["Alice"]}`, "Alice", false},
		{`… sendMessage… {"id":"$any"}`, `Say sendMessage to them. {"id":"x"}`, true},
		{`… sendMessage… {"id":"$any"}`, `Say sendMessage {"to":"them"} {"id":"x"}`, false},
		{`… sendMessage… {"id":"$any"}`, "Say sendMessage.\n{\"id\":\"x\"}", false},
		{`… sendMessage… {"id":"$any"}`, `Say sendMessage. {"id":"x"} or not`, false},
		{`{"connectionId":"<one>"}`, `{"connectionId":"x1"}`, true},
		{`{"connectionId":"<one>"}`, `{"connectionId":"x2"}`, false}, // it was x1
		{`{"connectionId":"<two>"}`, `{"connectionId":""}`, false},
	} {
		p := player{t: t, values: map[string]string{}}
		if try.got != `{"connectionId":"x1"}` && strings.Contains(try.want, "<one>") {
			p.values["<one>"] = "x1"
		}
		if problem := p.compare(try.got, try.want); (problem == "") != try.same {
			t.Errorf("%s as %s: %q", try.got, try.want, problem)
		}
	}
}
