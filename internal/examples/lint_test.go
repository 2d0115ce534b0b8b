package examples

import (
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
	tools.Lint(t, nil, templates...)
}
