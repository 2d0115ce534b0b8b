package rehearsal_test

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// archive writes a zip archive with files of the names, all of them programs.
func archive(t *testing.T, name string, files map[string]string) {
	t.Helper()
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	w := zip.NewWriter(out)
	for file, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		header := &zip.FileHeader{Name: file, Method: zip.Deflate}
		header.SetMode(0o755)
		part, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// gone makes the project of testdata/gone, its functions in archives.
func gone(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	bootstrap := filepath.Join(dir, "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", bootstrap, ".")
	build.Dir = "testdata/gone"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	archive(t, filepath.Join(dir, "go.zip"), map[string]string{"bootstrap": bootstrap})
	for _, name := range []string{"node", "python"} {
		file := map[string]string{"node": "gone.js", "python": "gone.py"}[name]
		archive(t, filepath.Join(dir, name+".zip"), map[string]string{file: "testdata/gone/" + file})
	}
	text, err := os.ReadFile("testdata/gone/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	packages(t, dir)
	return write(t, dir, map[string]string{"template.yaml": string(text)})
}

// Each of Amazon's clients finds the gateway in each of the three ways that handlers take, posts, and
// raises its GoneException for a connection that is closed. The functions come from archives.
func TestGone(t *testing.T) {
	t.Parallel()
	p := begin(t, gone(t))
	asker := p.dial("")
	closed := p.dial("")
	closed.leave()
	p.events(1, "DISCONNECT", "$disconnect")
	p.out.await(1, "Inline | ", "closed with 1000")
	host := strings.TrimSuffix(strings.TrimPrefix(p.url, "ws://"), "/test")
	for _, language := range []string{"node", "python", "go"} {
		for what, endpoint := range map[string]string{
			"the variable":        "",
			"TLS to the host":     "https://" + host + "/test",
			"the address on AWS":  "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/test",
			"another region's":    "https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/test",
			"TLS to the own name": "https://" + strings.Replace(host, "127.0.0.1", "localhost", 1) + "/test",
		} {
			asker.send(`{"action":%q,"id":%q,"endpoint":%q}`, language, closed.id, endpoint)
			if got := asker.next(); got != "GoneException" {
				t.Errorf("%s by %s: %s, want GoneException", language, what, got)
			}
			asker.send(`{"action":%q,"id":%q,"endpoint":%q}`, language, asker.id, endpoint)
			if got := asker.next() + " " + asker.next(); got != "x posted" {
				t.Errorf("%s by %s: %s, want the post, and that it was", language, what, got)
			}
		}
	}
	asker.send(`{"action":"node","id":%q,"endpoint":"https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com/prod"}`, asker.id)
	if got := asker.next(); !strings.Contains(got, `no API of the template has the stage "prod"`) {
		t.Errorf("another stage: %s", got)
	}
	// Each push is told apart, with its own invocation's request id.
	p.out.await(15, "POST of 1 byte to connection "+asker.id+": 200")
	last := p.out.await(15, "POST of 1 byte to connection "+closed.id+": 410 GoneException")
	report, ok := p.Journal().Find(strings.Fields(last)[1])
	if !ok || !strings.Contains(report, "the connection is closed") || strings.Contains(report, ": 200\n") {
		t.Errorf("why says:\n%s", report)
	}
}
