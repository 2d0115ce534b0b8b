// Package localdb fetches Amazon's DynamoDB Local and runs it: in memory, on 127.0.0.1 only, for as
// long as this process lives. It needs Java, and Maven to fetch it.
package localdb

import (
	"bufio"
	_ "embed"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Version is the version of DynamoDB Local; pom.xml and lib.sha256 pin it and what it needs.
const Version = "3.1.0"

//go:embed Launcher.java
var launcher []byte

// Engine is a DynamoDB Local that runs.
type Engine struct {
	Endpoint string // as "http://127.0.0.1:40123"

	cmd   *exec.Cmd
	input io.WriteCloser // the launcher ends with it
}

// small makes Java fit for an engine that serves a few clients for minutes: without the second compiler
// and the parallel collector, which take more time than they save, it needs less than half of it.
var small = []string{
	"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true",
}

// Run starts an engine from the folder of its archives with the program java, and returns when it
// listens. The engine ends with Close or with this process, however that ends.
func Run(java, lib string) (engine *Engine, err error) {
	dir, err := os.MkdirTemp("", "localdb")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	source := filepath.Join(dir, "Launcher.java")
	if err := os.WriteFile(source, launcher, 0o600); err != nil {
		return nil, err
	}
	e := &Engine{cmd: exec.Command(java, append(slices.Clone(small),
		"-Dsqlite4java.library.path="+lib, "-cp", filepath.Join(lib, "*"), source)...)}
	e.cmd.SysProcAttr = apart
	if e.input, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	complaint, stderr, err := os.Pipe() // which nobody has to copy from while the engine runs
	if err != nil {
		return nil, err
	}
	defer complaint.Close()
	e.cmd.Stderr = stderr
	err = e.cmd.Start()
	stderr.Close()
	if err != nil {
		return nil, err
	}
	if e.Endpoint, err = readPort(out); err != nil {
		said, _ := io.ReadAll(complaint) // it has ended, and said why
		_ = e.cmd.Wait()
		return nil, errors.Join(err, reason(string(said)))
	}
	return e, nil
}

// Close ends the engine; what its tables held is gone.
func (e *Engine) Close() error {
	err := e.input.Close()
	return errors.Join(err, e.cmd.Wait())
}

// reason makes an error of what Java has said.
func reason(complaint string) error {
	complaint = strings.TrimSpace(complaint)
	if strings.Contains(complaint, "jdk.compiler") {
		return errors.New("this Java has no compiler, which its launcher needs: install a JDK")
	}
	return errors.New(complaint)
}

// readPort waits for the launcher's line "port N".
func readPort(out io.Reader) (endpoint string, err error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if port, ok := strings.CutPrefix(lines.Text(), "port "); ok {
			return "http://127.0.0.1:" + port, nil
		}
	}
	return "", errors.Join(errors.New("it ended before it listened"), lines.Err())
}
