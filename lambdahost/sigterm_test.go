package lambdahost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// polite is a Lambda function in Go that is told before its end.
const polite = `package main

import (
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.StartWithOptions(func() (string, error) { return "ok", nil }, lambda.WithEnableSIGTERM(func() {
		fmt.Println("told")
		if os.Getenv("STUBBORN") != "" {
			time.Sleep(time.Hour)
		}
		os.Exit(0)
	}))
}
`

// A function that registers an extension gets SIGTERM and half a second before it is killed, frozen or
// not.
func TestClose_sigterm(t *testing.T) {
	dir, err := build(polite)
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	j := newJournal()
	h := newHost(t, Config{Log: j.log, Freeze: true})
	for _, stubborn := range []string{"", "x"} {
		deploy(t, h, func(f *Function) { f.Code, f.Env = dir, map[string]string{"STUBBORN": stubborn} })
		out, err := h.Invoke(t.Context(), Input{Function: "f"})
		if err != nil || string(out.Payload) != `"ok"` {
			t.Fatalf("%s %v", out.Payload, err)
		}
		eventually(t, func() bool { // aws-lambda-go registers in the background
			processes := idle(h)
			if len(processes) != 1 {
				return false
			}
			processes[0].mu.Lock()
			defer processes[0].mu.Unlock()
			return processes[0].sigterm
		})
		pid := idle(h)[0].cmd.Process.Pid
		before := len(j.all(kind(KindOutput)))
		h.Remove("f")
		if alive(pid) {
			t.Error("it lives")
		}
		if r := j.await(t, before+1, kind(KindOutput)); r.Text != "told" {
			t.Errorf("%q, want told:\n%s", r.Text, j.text())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "bootstrap")); err != nil {
		t.Error("a folder of code was removed: ", err)
	}
	if strings.Contains(j.text(), "WARNING") {
		t.Error(j.text())
	}
}
