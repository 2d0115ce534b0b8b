package lambdahost

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// The languages of runtimes.
const (
	provided = "provided"
	nodejs   = "nodejs"
	python   = "python"
)

// runtimes are the identifiers that are run (Developer Guide, "Lambda runtimes").
var runtimes = regexp.MustCompile(
	`^(?:(provided)\.(al2|al2023)|(nodejs)(18|20|22|24)\.x|(python)(3\.(?:9|1[0-4])))$`)

// CanRun tells whether functions of a runtime can be run here, given its identifier.
func CanRun(runtime string) bool { return runtimes.MatchString(runtime) }

// splitRuntime splits an identifier into language and version.
func splitRuntime(identifier string) (language, version string) {
	parts := runtimes.FindStringSubmatch(identifier)
	for i := 1; i+1 < len(parts); i += 2 {
		if parts[i] != "" {
			return parts[i], parts[i+1]
		}
	}
	return "", ""
}

// shims run handlers of a language on the Runtime API.
//
//go:embed shim
var shims embed.FS

// writeShims puts the shims where interpreters find them, beside an empty home folder.
func (h *Host) writeShims() error {
	if err := os.Mkdir(filepath.Join(h.dir, "home"), 0o700); err != nil {
		return err
	}
	dir := filepath.Join(h.dir, "runtime")
	if err := os.CopyFS(h.dir, shims); err != nil {
		return err
	}
	return os.Rename(filepath.Join(h.dir, "shim"), dir)
}

// command gives what is run for the function.
func (f *deployed) command() ([]string, error) {
	language, version := splitRuntime(f.Runtime)
	script := func(name string) string { return filepath.Join(f.host.dir, "runtime", name) }
	switch language {
	case provided:
		return []string{f.bootstrap()}, nil
	case nodejs:
		answer, err := f.host.node.ask(f.host.config.Node, "-p", nodeQuestion)
		if err != nil {
			return nil, err
		}
		flags := f.nodeFlags(answer[1:], version)
		return slices.Concat(answer[:1], flags, f.RuntimeArgs, []string{script("node.mjs")}), nil
	case python: // no byte code beside the sources, nothing of this user's, no buffer
		answer, err := f.host.python.ask(f.host.config.Python, "-c", pythonQuestion)
		if err != nil {
			return nil, err
		}
		flags := []string{"-B", "-s", "-u"}
		return slices.Concat(answer[:1], flags, f.RuntimeArgs, []string{script("python.py")}), nil
	}
	return nil, fmt.Errorf("runtime %q cannot be run here", f.Runtime)
}

// What interpreters are asked: where they really are, for the name in PATH may be a script of a
// version manager, and Node.js for its flags.
const (
	pythonQuestion = "import sys; print(sys.executable)"
	nodeQuestion   = `[process.execPath, ...process.allowedNodeEnvironmentFlags].join("\n")`
)

// interpreter is a program that runs a language, asked once.
type interpreter struct {
	once   sync.Once
	answer []string // lines
	err    error
}

// ask asks the program by its name or path. Its answer is never empty.
func (i *interpreter) ask(name, option, question string) ([]string, error) {
	i.once.Do(func() {
		ask := exec.Command(name, option, question)
		ask.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
		out, err := ask.Output()
		isBreak := func(r rune) bool { return r == '\r' || r == '\n' }
		i.answer = strings.FieldsFunc(string(out), isBreak)
		if err == nil && len(i.answer) == 0 {
			err = errors.New("no answer")
		}
		if err != nil {
			i.err = fmt.Errorf("%s, which runs this language, does not: %w", name, err)
		}
	})
	return i.answer, i.err
}

// bootstrap gives the executable of a provided runtime: the code's, else the layers'.
func (f *deployed) bootstrap() string {
	name := "bootstrap"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(f.task, name)
	if _, err := os.Stat(path); err != nil && f.opt != "" {
		return filepath.Join(f.opt, name)
	}
	return path
}

// initStart is the line that begins a log stream. Lambda has names of images there.
func (f *deployed) initStart() string {
	language, version := splitRuntime(f.Runtime)
	return "INIT_START Runtime Version: " + language + ":" + version +
		"\tRuntime Version ARN: arn:aws:lambda:" + f.host.config.Region + "::runtime:local"
}
