package deploy

import (
	"archive/zip"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Clean()
	os.Exit(code)
}

// archive makes the archive that the functions are.
func archive(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := testenv.Pack(folder); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "confab-lambda.zip")
}

// The archive has the bootstrap alone, which can be executed, and is the same whenever it is built, of
// whatever commit.
func TestArchive(t *testing.T) {
	first := archive(t)
	z, err := zip.OpenReader(first)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode()&0o111 != 0o111 {
		t.Errorf("the archive has %d files, the first is %s %v", len(z.File), z.File[0].Name, z.File[0].Mode())
	}
	if when := z.File[0].Modified; when.UTC().Year() != 1980 {
		t.Errorf("the archive tells a time, %v: another commit of the same program is another archive", when)
	}
	if sum(t, first) != sum(t, archive(t)) {
		t.Error("the archive is another one when it is built again")
	}
}

func sum(t *testing.T, name string) [sha256.Size]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}
