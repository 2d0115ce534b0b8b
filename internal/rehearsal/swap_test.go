package rehearsal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/confab-chat/confab/stack"
)

// Versions that were replaced long ago keep no files.
func TestRunner_swap(t *testing.T) { //nolint:paralleltest // it has a variable of its own
	temp, file := t.TempDir(), filepath.Join(t.TempDir(), "template.yaml")
	t.Setenv("TMPDIR", temp)
	t.Setenv("TMP", temp) // of Windows
	const text = "Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: x," +
		" ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}}"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	load := func() *stack.Stack {
		s, _, err := stack.Load(stack.Options{Template: file})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	journal, _ := newTestJournal()
	r := &Runner{journal: journal, stack: load()}
	for range maxOld + 3 {
		r.swap(load())
	}
	left, err := filepath.Glob(filepath.Join(temp, "confab-stack-*"))
	if err != nil || len(left) != maxOld+1 {
		t.Errorf("%d folders %v, want those of the last %d", len(left), err, maxOld+1)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if left, err = filepath.Glob(filepath.Join(temp, "confab-stack-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
