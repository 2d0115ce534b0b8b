package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/confab-chat/confab/internal/sim"
)

// limit is how long anything in a script may take.
const limit = time.Minute

// TestScripts runs the scripts in testdata. Beside testscript's own commands they have
//
//	serve NAME ARG...           start `confab serve`; $NAME, $NAME_admin and $NAME_pid lead to it. With
//	                            --public-url it gets an address of its own
//	end NAME SIGNAL CODE        send a signal and compare the exit code
//	exits CODE PROGRAM ARG...   run a program and compare the exit code
//	get URL [HEADER: VALUE]...  print status, header and body of an answer
//	talk URL FRAME...           send each frame, and print the events up to the one with its id
//	keep NAME REGEXP            set $NAME to what the group matches in the last output
//	replace OLD NEW FROM TO     copy a file with other bytes in it
//	newer FILE                  make a database one of a newer program
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": cmdServe, "end": cmdEnd, "exits": cmdExits, "get": cmdGet, "talk": cmdTalk,
			"keep": cmdKeep, "replace": cmdReplace, "newer": cmdNewer,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[processes] = map[string]*sim.Process{}
			return nil
		},
	})
}

// processes is the key of a script's servers.
const processes = "processes"

// scripted is a script as a testing.TB.
type scripted struct {
	testing.TB
	ts *testscript.TestScript
}

func (s scripted) Helper()                           {}
func (s scripted) Failed() bool                      { return false }
func (s scripted) Cleanup(f func())                  { s.ts.Defer(f) }
func (s scripted) Logf(format string, args ...any)   { s.ts.Logf(format, args...) }
func (s scripted) Context() context.Context          { return context.Background() }
func (s scripted) Fatal(args ...any)                 { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scripted) Fatalf(format string, args ...any) { s.ts.Fatalf(format, args...) }

func started(ts *testscript.TestScript) map[string]*sim.Process {
	return ts.Value(processes).(map[string]*sim.Process)
}

func plain(ts *testscript.TestScript, neg bool) {
	if neg {
		ts.Fatalf("this command has no negation")
	}
}

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	name, args := args[0], args[1:]
	var env []string
	for _, variable := range []string{"CONFAB_STAGE", "CONFAB_DATA", "CONFAB_ADDR", "CONFAB_LOG_FORMAT", "CONFAB_AUTH"} {
		if value := ts.Getenv(variable); value != "" {
			env = append(env, variable+"="+value)
		}
	}
	tb, around := scripted{nil, ts}, sim.Surroundings{Dir: ts.MkAbs("."), Env: env}
	var p *sim.Process
	if slices.Contains(args, "--public-url") { // it says that one, and listens elsewhere
		p = around.ServeAt(tb, sim.FreeAddr(tb), args...)
	} else {
		p = around.Serve(tb, args...)
	}
	started(ts)[name] = p
	ts.Setenv(name, p.Addr)
	ts.Setenv(name+"_admin", p.Admin)
	ts.Setenv(name+"_pid", strconv.Itoa(p.PID()))
}

func cmdEnd(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	p := started(ts)[args[0]]
	signal := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT}[args[1]]
	tb := scripted{nil, ts}
	p.Signal(tb, signal)
	if code := strconv.Itoa(p.AwaitExit(tb)); code != args[2] {
		ts.Fatalf("exit code %s, want %s", code, args[2])
	}
	fmt.Fprint(ts.Stdout(), p.Said())
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func cmdGet(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], http.NoBody)
	ts.Check(err)
	for _, header := range args[1:] {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Set(name, value)
		if name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	ts.Check(err)
	defer resp.Body.Close()
	var body []byte
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err = io.ReadAll(resp.Body)
		ts.Check(err)
	}
	fmt.Fprintf(ts.Stdout(), "status %d\n", resp.StatusCode)
	ts.Check(resp.Header.Write(ts.Stdout()))
	fmt.Fprintf(ts.Stdout(), "\n%s", body)
}

// cmdTalk sends frames one after the other. Each carries an id, and the answer with that id is
// awaited; a hello's is the one after the welcome.
func cmdTalk(ts *testscript.TestScript, neg bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, args[0], nil) //nolint:bodyclose // the library closes it
	if neg {
		if err == nil {
			conn.CloseNow()
			ts.Fatalf("the handshake was not refused")
		}
		fmt.Fprintf(ts.Stdout(), "status %d\n", resp.StatusCode)
		return
	}
	ts.Check(err)
	defer conn.CloseNow()
	for _, frame := range args[1:] {
		frame = os.Expand(frame, ts.Getenv)
		ts.Check(conn.Write(ctx, websocket.MessageText, []byte(frame)))
		for {
			_, text, err := conn.Read(ctx)
			ts.Check(err)
			fmt.Fprintf(ts.Stdout(), "%s\n", text)
			if strings.Contains(string(text), `"id":`) && !strings.Contains(string(text), `"event":"welcome"`) {
				break
			}
		}
	}
}

func cmdKeep(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	before := ts.ReadFile(args[2])
	after := strings.ReplaceAll(before, args[0], args[1])
	if before == after {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(after), 0o600))
}

// cmdNewer writes the user version, which SQLite keeps at byte 60 of the file, big end first.
func cmdNewer(ts *testscript.TestScript, neg bool, args []string) {
	plain(ts, neg)
	content := []byte(ts.ReadFile(args[0]))
	binary.BigEndian.PutUint32(content[60:], 1000)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o600))
}
