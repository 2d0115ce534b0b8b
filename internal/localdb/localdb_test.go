package localdb_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/localdb"
	"github.com/confab-chat/confab/internal/tools"
)

func TestRun(t *testing.T) {
	t.Parallel()
	lib := tools.Path(t, "dynamodb/lib")
	engine, err := localdb.Run(tools.Program(t, "java"), lib)
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(engine.Endpoint, "http://")
	if !ok || !strings.HasPrefix(address, "127.0.0.1:") {
		t.Errorf("endpoint %s", engine.Endpoint)
	}
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if err := engine.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if conn, err := net.DialTimeout("tcp", address, 10*time.Second); err == nil {
		conn.Close()
		t.Error("it answers after Close")
	}
}

func TestRun_fails(t *testing.T) {
	t.Parallel()
	_, err := localdb.Run(tools.Program(t, "java"), t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "it ended before it listened") {
		t.Errorf("without its archives: %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	lib := tools.Path(t, "dynamodb/lib")
	if err := localdb.Check(lib); err != nil {
		t.Errorf("what was published: %v", err)
	}
	if err := localdb.Check(t.TempDir()); !localdb.Missing(err) {
		t.Errorf("an empty folder: %v", err)
	}
	changed := mirror(t, lib)
	name := filepath.Join(changed, "DynamoDBLocal-"+localdb.Version+".jar")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte("another program"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := localdb.Check(changed)
	if err == nil || localdb.Missing(err) || !strings.Contains(err.Error(), name) {
		t.Errorf("a changed archive: %v", err)
	}
}

// mirror makes a folder with links to the files of another.
func mirror(t *testing.T, folder string) string {
	t.Helper()
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range there {
		if err := os.Symlink(filepath.Join(folder, file.Name()), filepath.Join(dir, file.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fakeMaven is a program that does with its arguments what Maven would, from what is here already.
func fakeMaven(t *testing.T, body string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mvn")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("sh", "-n", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return file
}

func TestFetch(t *testing.T) {
	t.Parallel()
	lib := tools.Path(t, "dynamodb/lib")
	copies := fakeMaven(t, fmt.Sprintf("for a; do case $a in -DoutputDirectory=*) to=${a#*=};; esac; done\n"+
		"mkdir -p \"$to\" && ln -s %s/* \"$to\"\n", lib))
	folder := filepath.Join(t.TempDir(), "cache", "engine")
	if err := localdb.Fetch(context.Background(), copies, folder); err != nil {
		t.Fatal(err)
	}
	if err := localdb.Check(folder); err != nil {
		t.Error(err)
	}
	// What is not as pinned, or not fetched at all, is not kept.
	for body, want := range map[string]string{
		"for a; do case $a in -DoutputDirectory=*) mkdir -p \"${a#*=}\";; esac; done\n": "no such file",
		"echo no route to the repository; exit 1\n":                                     "no route to the repository",
	} {
		other := filepath.Join(t.TempDir(), "cache", "engine")
		if err := localdb.Fetch(context.Background(), fakeMaven(t, body), other); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
		left, err := os.ReadDir(filepath.Dir(other))
		if err != nil || len(left) != 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}
