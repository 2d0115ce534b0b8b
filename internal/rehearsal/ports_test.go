package rehearsal_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/stack"
)

// What does not start says what to do.
func TestStart_errors(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	vars := write(t, t.TempDir(), map[string]string{"vars.json": `["no object"]`})
	for want, change := range map[string]func(*rehearsal.Config){
		fmt.Sprintf("port %d is taken: choose another with --port", port): func(c *rehearsal.Config) { c.Port = port },
		"vars.json: want {\"FUNCTION\"":                                   func(c *rehearsal.Config) { c.EnvVars = vars + "/vars.json" },
		"--inspect Nobody=9229: the template has no such function": func(c *rehearsal.Config) {
			c.Inspect = map[string]int{"Nobody": 9229}
		},
		"has no debugpy: ": func(c *rehearsal.Config) {
			c.Inspect, c.Python = map[string]int{"Work": 9229}, tools.Path(t, "python/bin/python3")
		},
		"no DynamoDB answers there": func(c *rehearsal.Config) {
			c.Tables.URL = "http://" + sim.FreeAddr(t)
		},
	} {
		cfg := rehearsal.Config{Stack: stack.Options{Dir: work(t, answers("1"))}}
		change(&cfg)
		runner, err := rehearsal.Start(t.Context(), cfg)
		if err == nil {
			runner.Close()
			t.Errorf("started, want %q", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
