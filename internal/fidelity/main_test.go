package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/gateway"
)

const twoChecks = `
# First
GW-01 [A] One.

# Second
GW-02 [D/M] Two | three.
`

func TestParseChecks(t *testing.T) {
	checks, err := parseChecks(checksText)
	if err != nil {
		t.Fatal(err)
	}
	if len(checks) != 100 || checks[0].number != 1 || checks[99].number != 100 {
		t.Errorf("%d checks from %d to %d", len(checks), checks[0].number, checks[len(checks)-1].number)
	}
	for name, text := range map[string]string{
		"twice":    "GW-01 [A] a.\nGW-01 [A] b.",
		"no class": "GW-01 a.", "unknown class": "GW-01 [Z] a.", "no text": "GW-01 [A]",
	} {
		if _, err := parseChecks(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMatch(t *testing.T) {
	const good = "gateway.TestGW01_A"
	for name, c := range map[string]struct {
		tests map[string]string
		want  string // in the error
	}{
		"ok":      {map[string]string{good: "pass", "gateway.TestGW01_A/GW02_b": "pass"}, ""},
		"both":    {map[string]string{"gateway.TestGW01_GW02_both": "pass"}, ""},
		"no test": {map[string]string{good: "pass"}, "GW-02 has no test"},
		"the parent shows its own number alone": {
			map[string]string{good: "pass", good + "/two": "pass"}, "GW-02 has no test",
		},
		"fails":   {map[string]string{good: "fail", "gateway.TestGW02_B": "pass"}, good + ": fail"},
		"skipped": {map[string]string{good: "skip", "gateway.TestGW02_B": "pass"}, "run `make tools`"},
		"hangs":   {map[string]string{good: "did not end"}, "did not end"},
		"unknown": {map[string]string{"gateway.TestGW01_GW02_GW03": "pass"}, "there is no GW-03"},
	} {
		t.Run(name, func(t *testing.T) {
			checks, err := parseChecks(twoChecks)
			if err != nil {
				t.Fatal(err)
			}
			err = match(checks, c.tests)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestParseEvents(t *testing.T) {
	got, err := parseEvents([]byte(`{"Action":"start","Package":"m/gateway"}
{"Action":"run","Package":"m/gateway","Test":"TestGW01_A"}
{"Action":"output","Package":"m/gateway","Test":"TestGW01_A","Output":"x"}
{"Action":"pass","Package":"m/gateway","Test":"TestGW01_A","Elapsed":0.1}
{"Action":"run","Package":"m/gateway","Test":"TestGW02_B"}
{"Action":"fail","Package":"m/gateway"}
`))
	want := map[string]string{"gateway.TestGW01_A": "pass", "gateway.TestGW02_B": "did not end"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
}

func TestPage(t *testing.T) {
	checks, err := parseChecks(twoChecks)
	if err != nil {
		t.Fatal(err)
	}
	if err := match(checks, map[string]string{"gateway.TestGW01_GW02_both": "pass"}); err != nil {
		t.Fatal(err)
	}
	got := page(checks)
	for _, want := range []string{
		"do not edit", "2 checks of 2", "## Never verified on a real account", "## Contradictions",
		"\n| GW-01 | One. | A | passes | `gateway.TestGW01_GW02_both` |\n",
		"\n| GW-02 | Two \\| three. | D/M |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on the page:\n%s", want, got)
		}
	}
	if strings.Contains(got, "| GW-01 | One. | A |\n") {
		t.Error("GW-01 is called unverified")
	}
}

// Every knob is on the page with its contradiction.
func TestPage_knobs(t *testing.T) {
	for _, knob := range reflect.VisibleFields(reflect.TypeFor[gateway.Knobs]()) {
		if !strings.Contains(contradictionsText, "| `"+knob.Name+"` |") {
			t.Errorf("contradictions.md does not name %s", knob.Name)
		}
	}
}
