package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Lint has a linter of templates, cfn-lint unless command makes another one's command, find nothing in
// the files, and something in a template that is wrong: a table without a key.
func Lint(t *testing.T, command func(t *testing.T, files ...string) *exec.Cmd, files ...string) {
	t.Helper()
	if command == nil {
		command = cfnLint
	}
	broken := filepath.Join(t.TempDir(), "template.yaml")
	const text = "Resources: {Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: wrong}}}"
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, files...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", files, err, out)
	}
	if out, err := command(t, broken).CombinedOutput(); err == nil {
		t.Errorf("nothing is wrong with a table that has no key:\n%s", out)
	}
}

func cfnLint(t *testing.T, files ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), Path(t, "cfnlint/bin/cfn-lint"), files...)
}
