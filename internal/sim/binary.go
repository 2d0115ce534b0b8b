package sim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// program is `confab` as it is built for the tests of one package.
var program struct {
	once sync.Once
	dir  string
	err  error
}

// Binary gives the file of the program. It is built once for all tests of a package, whose TestMain
// is [RunTests].
func Binary(tb testing.TB) string {
	tb.Helper()
	program.once.Do(func() { program.dir, program.err = build() })
	if program.err != nil {
		tb.Fatal(program.err)
	}
	return filepath.Join(program.dir, "confab")
}

func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "confab-sim-"); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir, "./cmd/confab")
	cmd.Dir = tools.Root()
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build confab: %w\n%s", err, out)
	}
	return dir, nil
}

// RunTests runs the tests of a package and removes the program that they have built.
func RunTests(m *testing.M) int {
	code := m.Run()
	if program.dir != "" {
		_ = os.RemoveAll(program.dir) // it lies in the system's folder for such things
	}
	return code
}
