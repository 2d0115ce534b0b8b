package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/confab-chat/confab/internal/sim"
)

// tests removes the program that the tests have built.
type tests struct{ m *testing.M }

func (t tests) Run() int { return sim.RunTests(t.m) }

// TestMain makes `confab` a command of the scripts: it is this very program.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"confab": main})
}

// TestRun_escapes has a server refuse with what would act on a terminal: it is written out.
func TestRun_escapes(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "no\x1b]0;title\a \u202eway")
	}))
	defer server.Close()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	code := run(t.Context(), func() {}, []string{"tail", "--url", server.URL}, said, said)
	text, err := os.ReadFile(said.Name())
	const want = "confab: the server answers 403 Forbidden: no^[]0;title^G <U+202E>way\n"
	if err != nil || string(text) != want || code != 1 {
		t.Errorf("%v, code %d, said %q, want %q", err, code, text, want)
	}
}
