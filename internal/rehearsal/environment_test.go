package rehearsal

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Values are the texts that sam local makes of them: numbers and truth values as they stand in the
// file, null as nothing.
func TestReadVariables(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "vars.json")
	text := `{"Send": {"LIMIT": 1000000, "RATE": 0.5, "ON": true, "NONE": null, "NAME": "\"n\" \u00e9"}}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readVariables(file)
	if err != nil {
		t.Fatal(err)
	}
	want := variables{"Send": {"LIMIT": "1000000", "RATE": "0.5", "ON": "true", "NONE": "", "NAME": `"n" é`}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
