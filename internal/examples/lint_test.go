package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// TestTemplates_Lint has cfn-lint check every template.
func TestTemplates_Lint(t *testing.T) {
	t.Parallel()
	templates, err := filepath.Glob(folder("*/template.yaml"))
	if err != nil || len(templates) != 6 {
		t.Fatalf("templates are %v, %v, want 6", templates, err)
	}
	lint := func(files ...string) ([]byte, error) {
		return exec.CommandContext(t.Context(), tools.Path(t, "cfnlint/bin/cfn-lint"), files...).CombinedOutput()
	}
	if out, err := lint(templates...); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
	broken := filepath.Join(t.TempDir(), "template.yaml")
	text := "Resources: {Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: wrong}}}"
	if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := lint(broken); err == nil {
		t.Errorf("cfn-lint finds nothing wrong with a table that has no key:\n%s", out)
	}
}
