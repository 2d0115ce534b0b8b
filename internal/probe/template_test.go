package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/tools"
)

// python runs the function that is in the template.
type python struct {
	in      io.Writer
	mu      sync.Mutex
	n       int
	waiting map[int]chan answered
}

type answered struct {
	N      int             `json:"n"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// source gives the text of the template's function.
func source(t *testing.T) string {
	t.Helper()
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const indent = "          "
	var code strings.Builder
	_, text, _ := strings.Cut(string(template), "ZipFile: |\n")
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" && !strings.HasPrefix(line, indent) {
			break
		}
		code.WriteString(strings.TrimPrefix(line, indent))
	}
	return code.String()
}

func startPython(t *testing.T) *python {
	t.Helper()
	cmd := exec.Command(tools.Path(t, "python/bin/python3"), "testdata/lambda.py")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	p := &python{in: in, waiting: map[int]chan answered{}}
	if err := json.NewEncoder(in).Encode(source(t)); err != nil {
		t.Fatal(err)
	}
	go p.read(out)
	return p
}

// read hands answers to who waits for them.
func (p *python) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a answered
		if json.Unmarshal(lines.Bytes(), &a) != nil {
			continue
		}
		p.mu.Lock()
		p.waiting[a.N] <- a
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, waiting := range p.waiting {
		select {
		case waiting <- answered{Error: "the function has ended"}:
		default: // it is answered
		}
	}
}

// invoke gives an event to the function and waits for its answer.
func (p *python) invoke(_ context.Context, event []byte) ([]byte, error) {
	waiting := make(chan answered, 1)
	p.mu.Lock()
	p.n++
	p.waiting[p.n] = waiting
	err := json.NewEncoder(p.in).Encode(map[string]any{"n": p.n, "event": json.RawMessage(event)})
	p.mu.Unlock()
	if err != nil {
		return nil, err
	}
	a := <-waiting
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	return a.Result, nil
}

// The function that the template deploys does what the checks need.
func TestTemplate(t *testing.T) {
	p := startPython(t)
	s := &stack{stop: make(chan struct{}), function: gateway.JSONHandler(p.invoke, nil)}
	s.judge = func(ctx context.Context, e gateway.AuthorizerEvent) (any, error) {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		result, err := p.invoke(ctx, text)
		return json.RawMessage(result), err
	}
	s.serve(t, gateway.Config{}).allSame(t)
}
