package deploy

import (
	"archive/zip"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/confab-chat/confab/internal/testenv"
)

// built is the archive for this machine's processor, made once.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "confab-deploy-")
	if err != nil {
		return "", err
	}
	return folder, pack(folder)
})

func TestMain(m *testing.M) {
	code := m.Run()
	testenv.Clean()
	if folder, err := built(); err == nil {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// pack makes the archive as make lambda does.
func pack(folder string) error {
	cmd := exec.Command("go", "run", "./internal/release", "-lambda", runtime.GOARCH, "-out", folder)
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	return cmd.Run()
}

// archive gives the archive that the functions are.
func archive(t *testing.T) string {
	t.Helper()
	folder, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(folder, "confab-lambda.zip")
}

// The archive has the bootstrap alone, which can be executed, and is the same whenever it is built.
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
	again := t.TempDir()
	if err := pack(again); err != nil {
		t.Fatal(err)
	}
	if sum(t, first) != sum(t, filepath.Join(again, "confab-lambda.zip")) {
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
