// Command release builds what is published: an archive of the program for each system, with its
// licence, manual pages, completions and service unit, and the checksums of all. The same commit
// gives the same bytes, wherever and whenever it is built.
//
//	go run ./internal/release -out dist
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// targets are the systems that Confab is published for.
var targets = []target{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
	{"freebsd", "amd64"},
	{"freebsd", "arm64"},
}

// target is a system and its processor, as Go names them.
type target struct{ system, processor string }

func (t target) String() string { return t.system + "/" + t.processor }

func (t target) program() string {
	if t.system == "windows" {
		return "confab.exe"
	}
	return "confab"
}

func main() {
	out := flag.String("out", "dist", "folder for the archives; what is in it goes")
	function := flag.String("lambda", "", "build the function of deploy/template.yaml for a processor "+
		"instead, arm64 or amd64, into -out")
	only := flag.String("only", "", "targets as linux/amd64,darwin/arm64; default all")
	flag.Parse()
	do := func(ctx context.Context) error { return release(ctx, *out, *only) }
	if *function != "" {
		do = func(ctx context.Context) error { return packFunction(ctx, *out, *function) }
	}
	if err := do(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds the chosen targets into a folder.
func release(ctx context.Context, out, only string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "confab-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	version, common, err := accompany(ctx, work)
	if err != nil {
		return err
	}
	date, err := commitTime(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, t := range chosen {
		program := filepath.Join(work, t.system+"-"+t.processor)
		if err := build(ctx, t, program, "./cmd/confab"); err != nil {
			return err
		}
		text, err := os.ReadFile(program)
		if err != nil {
			return err
		}
		files := append([]entry{{t.program(), 0o755, text}}, common...)
		name := fmt.Sprintf("confab_%s_%s_%s", version, t.system, t.processor)
		sum, err := pack(out, name, t.system == "windows", files, date)
		if err != nil {
			return err
		}
		fmt.Fprintln(&sums, sum)
		fmt.Println(sum)
	}
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// choose gives the targets that a list names, all of them for "".
func choose(only string) ([]target, error) {
	if only == "" {
		return targets, nil
	}
	var chosen []target
	for name := range strings.SplitSeq(only, ",") {
		found := false
		for _, t := range targets {
			if t.String() == name {
				chosen, found = append(chosen, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no target %q; the targets are %v", name, targets)
		}
	}
	return chosen, nil
}

// build compiles a program. -trimpath leaves out where it was built, -s -w what only debuggers use,
// lambda.norpc (of aws-lambda-go) what only the runtime of long ago did.
func build(ctx context.Context, t target, out, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-tags=lambda.norpc", "-ldflags=-s -w", "-o", out, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.system, "GOARCH="+t.processor,
		"GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build for %s: %w", t, err)
	}
	return nil
}

func versionOf(ctx context.Context, program string) (string, error) {
	said, err := exec.CommandContext(ctx, program, "--version").Output()
	words := strings.Fields(string(said))
	if err != nil || len(words) == 0 {
		return "", fmt.Errorf("confab --version: %q, %w", said, err)
	}
	return words[len(words)-1], nil
}

// commitTime is when the commit was made: the time of everything in the archives.
func commitTime(ctx context.Context) (time.Time, error) {
	said, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%cI").Output()
	if err != nil {
		return time.Time{}, fmt.Errorf("the time of the commit: %w", err)
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(string(said)))
}

// accompany gives the program's version and what goes with it on every system, partly as the
// program itself says it on this one.
func accompany(ctx context.Context, work string) (version string, files []entry, err error) {
	host, pages := filepath.Join(work, "host"), filepath.Join(work, "man")
	if err := build(ctx, target{runtime.GOOS, runtime.GOARCH}, host, "./cmd/confab"); err != nil {
		return "", nil, err
	}
	if version, err = versionOf(ctx, host); err != nil {
		return "", nil, err
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md", "deploy/systemd/confab.service"} {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", nil, err
		}
		files = append(files, entry{filepath.Base(name), 0o644, text})
	}
	if err := exec.CommandContext(ctx, host, "man", pages).Run(); err != nil {
		return "", nil, fmt.Errorf("confab man: %w", err)
	}
	err = fs.WalkDir(os.DirFS(pages), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(pages, name))
		files = append(files, entry{"man/" + name, 0o644, text})
		return err
	})
	if err != nil {
		return "", nil, err
	}
	for _, shell := range []string{"bash", "fish", "powershell", "zsh"} {
		text, err := exec.CommandContext(ctx, host, "completion", shell).Output()
		if err != nil {
			return "", nil, fmt.Errorf("confab completion %s: %w", shell, err)
		}
		files = append(files, entry{"completions/confab." + shell, 0o644, text})
	}
	return version, files, nil
}
