package control

import (
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/chat"
)

// folder is a short path: those of tests' own folders may be too long for sockets.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "confab-control-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// serve answers on a folder's socket.
func serve(t *testing.T, data string, h http.HandlerFunc) net.Listener {
	t.Helper()
	listener, err := Listen(data)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = http.Serve(listener, h) }() // it ends with the listener
	t.Cleanup(func() { listener.Close() })
	return listener
}

func hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/hello" {
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error":"no such user"}`))
		return
	}
	_, _ = w.Write([]byte(`{"method":"` + r.Method + `"}`))
}

func TestClient_Ask(t *testing.T) {
	data := folder(t)
	serve(t, data, hello)
	c := NewClient(data)
	for want, body := range map[string]any{"GET": nil, "POST": struct{}{}} {
		var answer struct{ Method string }
		if err := c.Ask(t.Context(), "/hello", body, &answer); err != nil || answer.Method != want {
			t.Errorf("got %v, %v; want %s", answer, err, want)
		}
	}
	err := c.Ask(t.Context(), "/nothing", nil, &struct{}{})
	if !chat.Is(err, chat.NotFound) || !strings.Contains(err.Error(), "no such user") {
		t.Errorf("a refusal: %v", err)
	}
}

func TestClient_Ask_noServer(t *testing.T) {
	data := folder(t)
	want := "start it with confab serve --data " + data
	ask := func() error { return NewClient(data).Ask(t.Context(), "/hello", nil, &struct{}{}) }
	if err := ask(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("no socket: %v, want %q", err, want)
	}
	leaveStale(t, data)
	if err := ask(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a stale socket: %v, want %q", err, want)
	}
}

// leaveStale leaves what a server that was killed leaves.
func leaveStale(t *testing.T, data string) {
	t.Helper()
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(data, Name), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
}

func TestListen(t *testing.T) {
	t.Run("only its owner opens it", func(t *testing.T) {
		data := filepath.Join(folder(t), "new")
		serve(t, data, hello)
		for name, want := range map[string]fs.FileMode{data: 0o700, filepath.Join(data, Name): 0o600} {
			info, err := os.Stat(name)
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v; want %v", name, info.Mode().Perm(), err, want)
			}
		}
		if files, err := os.ReadDir(data); err != nil || len(files) != 1 {
			t.Errorf("it left %v, %v", files, err)
		}
	})
	t.Run("a stale one is replaced", func(t *testing.T) {
		data := folder(t)
		leaveStale(t, data)
		serve(t, data, hello)
		if err := NewClient(data).Ask(t.Context(), "/hello", nil, &struct{}{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a living one is not", func(t *testing.T) {
		data := folder(t)
		serve(t, data, hello)
		if l, err := Listen(data); err == nil {
			l.Close()
			t.Error("two servers listen")
		}
		if err := NewClient(data).Ask(t.Context(), "/hello", nil, &struct{}{}); err != nil {
			t.Errorf("the first: %v", err)
		}
	})
	t.Run("closing removes it", func(t *testing.T) {
		data := folder(t)
		made := filepath.Join(data, "made")
		for _, d := range []string{data, made} {
			l, err := Listen(d)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			if err := l.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed twice: %v", err)
			}
		}
		if files, err := os.ReadDir(data); err != nil || len(files) != 0 {
			t.Errorf("it left %v, %v", files, err)
		}
	})
	t.Run("a path that is too long", func(t *testing.T) {
		data := filepath.Join(folder(t), strings.Repeat("x", 100))
		l, err := Listen(data)
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "at most 103") || !strings.Contains(err.Error(), "shorter --data") {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(data); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it made the folder: %v", err)
		}
	})
}
