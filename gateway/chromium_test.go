//go:build unix

package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/tools"
)

// A page in a browser does the same and says what it saw.
func TestInterop_Chromium(t *testing.T) {
	t.Parallel()
	r, ends := interopRig(t)
	result := make(chan map[string]string, 1)
	page := http.NewServeMux()
	page.Handle("GET /interop.js", http.FileServer(http.Dir("testdata")))
	page.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><script src="interop.js"></script><script>
interop(WebSocket, "ws://%s/prod").then((said) => fetch("result", {method: "POST", body: JSON.stringify(said)}))
</script>`, r.addr)
	})
	page.HandleFunc("POST /result", func(_ http.ResponseWriter, req *http.Request) {
		var said map[string]string
		if err := json.NewDecoder(req.Body).Decode(&said); err != nil {
			t.Errorf("the page says no JSON: %v", err)
		}
		result <- said
	})
	server := httptest.NewServer(page)
	defer server.Close()
	browse(t, server.URL)
	select {
	case said := <-result:
		checkInterop(t, said, ends(), nil)
	case <-time.After(time.Minute):
		t.Fatal("the page says nothing")
	}
}

// browse opens a page in Chromium until the test ends. Nothing but loopback is resolved.
func browse(t *testing.T, url string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(tools.Chromium(t), "--headless=new", "--no-sandbox", "--disable-gpu",
		"--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--user-data-dir="+dir, url)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Chromium said:\n%s", said.String())
		}
	})
}
