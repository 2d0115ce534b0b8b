package stack_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/stack"
)

// TestLoad_Processor warns of a bootstrap for this machine's processor that the function does not
// have on AWS. Lambda's default is x86_64.
func TestLoad_Processor(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	text := strings.ReplaceAll(handler, "RUNTIME", "provided.al2023")
	for _, named := range []string{"", "x86_64", "arm64"} {
		t.Run("named "+named, func(t *testing.T) {
			t.Parallel()
			dir := files(t, txtar.Parse([]byte(text+"-- src/keep --\n")))
			if err := os.Symlink(program, filepath.Join(dir, "src", "bootstrap")); err != nil {
				t.Fatal(err)
			}
			wanted := "x86_64"
			if named != "" {
				wanted = named
				change(t, dir, "template.yaml", "{Runtime", "{Architectures: ["+named+"], Runtime")
			}
			_, diagnostics := load(t, stack.Options{Dir: dir})
			got := strings.Contains(lines(diagnostics), "warning: Fn: the bootstrap is for "+here+
				", and Architectures says "+wanted)
			if got != (here != wanted) {
				t.Errorf("the bootstrap is for %s, wanted is %s:\n%s", here, wanted, lines(diagnostics))
			}
		})
	}
}
