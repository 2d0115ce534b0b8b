package rehearsal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/localdb"
	"github.com/confab-chat/confab/internal/tools"
)

// DynamoDB Local is fetched if somebody says so, once, and only what was published is run.
func TestTables_open(t *testing.T) {
	lib := tools.Path(t, "dynamodb/lib")
	java := tools.Program(t, "java")
	bin := t.TempDir()
	mvn := "#!/bin/sh\nfor a; do case $a in -DoutputDirectory=*) to=${a#*=};; esac; done\n" +
		"mkdir -p \"$to\" && ln -s " + lib + "/* \"$to\"\n"
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte(mvn), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(java, filepath.Join(bin, "java")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")

	var asked string
	var said bytes.Buffer
	tables := Tables{
		Cache: filepath.Join(t.TempDir(), "engine"), Out: &said,
		Ask: func(question string) bool { asked = question; return false },
	}
	if _, err := tables.open(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "the template has 2 tables") {
		t.Errorf("refused: %v", err)
	}
	if !strings.Contains(asked, localdb.Version) || !strings.Contains(asked, "48 MB") || said.Len() != 0 {
		t.Errorf("asked %q, said %q", asked, said.String())
	}
	tables.Ask = func(string) bool { return true }
	e, err := tables.open(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.client.ListTables(t.Context(), nil); err != nil {
		t.Errorf("the engine does not answer: %v", err)
	}
	if err := e.close(); err != nil {
		t.Error(err)
	}

	tables.Ask = func(string) bool { t.Error("asked again"); return false }
	jar := filepath.Join(tables.Cache, "DynamoDBLocal-"+localdb.Version+".jar")
	if err := os.Remove(jar); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(jar, []byte("another program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tables.open(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "is not the file that was published") {
		t.Errorf("with another program: %v", err)
	}
}
