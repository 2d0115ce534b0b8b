package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/localdb"
	"github.com/confab-chat/confab/internal/sim"
	"github.com/confab-chat/confab/internal/tools"
)

// reader is somebody who follows docs/run.md in a fresh folder.
type reader struct {
	t   *testing.T
	dir string
	env []string
}

// newReader gives somebody the programs that the page asks for: confab, Python with boto3, Java. The
// engine of the tables has been fetched before.
func newReader(t *testing.T) *reader {
	t.Helper()
	home := t.TempDir()
	cache := filepath.Join(home, "cache", "confab")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	engine := filepath.Join(cache, "dynamodb-local-"+localdb.Version)
	if err := os.Symlink(tools.Path(t, "dynamodb/lib"), engine); err != nil {
		t.Fatal(err)
	}
	programs := []string{
		filepath.Dir(sim.Binary(t)), filepath.Dir(tools.Path(t, "python/bin/python3")),
		filepath.Dir(tools.Program(t, "java")),
	}
	return &reader{t, t.TempDir(), []string{
		"PATH=" + strings.Join(programs, ":") + ":/usr/bin:/bin", "HOME=" + home,
		"XDG_CACHE_HOME=" + filepath.Dir(cache), "CONFAB_PORT=0", // 3001 may be taken here
		"CONFAB_TIMEOUT=3m", // tests share a machine
	}}
}

// shell makes a command of a block of the page.
func (r *reader) shell(ctx context.Context, block string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", block)
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

// printed is what a program that goes on has printed so far.
type printed struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write takes what the program prints.
func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.Write(b)
}

// text is all of it.
func (p *printed) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

// await waits until it has printed some words.
func (p *printed) await(t *testing.T, words string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !strings.Contains(p.text(), words); {
		if time.Now().After(deadline) {
			t.Fatalf("%q is never printed:\n%s", words, p.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// serve runs a block that does not end by itself until the test ends, and returns when it is ready.
func (r *reader) serve(block string) *printed {
	r.t.Helper()
	out := &printed{}
	ctx, stop := context.WithCancel(context.Background())
	cmd := r.shell(ctx, "exec "+block)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		stop()
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to end
		if r.t.Failed() {
			r.t.Logf("it printed:\n%s", out.text())
		}
	})
	out.await(r.t, "Ctrl-C stops it.")
	return out
}

// Who follows docs/run.md word for word, in a fresh folder, gets what it says.
func TestDocs_run(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(tools.Root(), "docs", "run.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 5 {
		t.Fatalf("%d blocks of commands, want 5", len(blocks))
	}
	r, address := newReader(t), ""
	says := func(i int) string {
		t.Helper()
		block := strings.NewReplacer("127.0.0.1:3001", address, "30s", "3m").Replace(blocks[i][1])
		out, err := r.shell(t.Context(), block).CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v\n%s", block, err, out)
		}
		return string(out)
	}
	says(0)
	r.dir = filepath.Join(r.dir, "shout") // where its cd leads
	ran := r.serve(strings.TrimSpace(blocks[1][1]))
	_, address, _ = strings.Cut(ran.text(), "npx wscat -c ws://")
	address, _, _ = strings.Cut(address, "/dev\n")
	if got := says(2); got != "HELLO\n" {
		t.Errorf("the shout is answered %q", got)
	}
	for _, line := range []string{
		"CONNECT $connect → Connect: 200 in ", "Shout | to ", "POST of 5 bytes to connection ",
		"MESSAGE shout → Shout: 200 in ",
	} {
		ran.await(t, line)
	}
	got := says(3)
	for _, want := range []string{
		"Internal server error", "route       shout of Api/dev", "integration Shout, Lambda's request ",
		"failed: KeyError: 'text'",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("why does not say %q:\n%s", want, got)
		}
	}
	if got := says(4); !strings.Contains(got, "\nCI\n") {
		t.Errorf("in continuous integration it prints %q", got)
	}
}
