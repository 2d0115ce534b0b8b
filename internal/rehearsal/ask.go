package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/confab-chat/confab/internal/control"
)

// Folder is where running stacks of this user can be asked, each by a socket in a folder of its
// own: that for things which last as long as a session, where the system has one.
func Folder() (string, error) {
	if session := os.Getenv("XDG_RUNTIME_DIR"); session != "" {
		return filepath.Join(session, "confab-run"), nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "confab", "run"), nil
}

// question and answer are what goes over a socket.
type (
	question struct{ ID string }
	answer   struct {
		Report string
		Known  bool
	}
)

// Answer lets Why ask about this stack's requests, in a folder as Folder gives it, until the server
// that it returns is closed.
func (r *Runner) Answer(folder string) (*http.Server, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	tidy(folder)
	listener, err := control.Listen(filepath.Join(folder, strconv.Itoa(os.Getpid())))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /why", func(w http.ResponseWriter, req *http.Request) {
		var q question
		if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, 1<<10)).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var a answer
		a.Report, a.Known = r.journal.Find(q.ID)
		json.NewEncoder(w).Encode(a) //nolint:errcheck // who asked is gone
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	return server, nil
}

// tidy removes what stacks have left that were killed.
func tidy(folder string) {
	found, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, instance := range found {
		dir := filepath.Join(folder, instance.Name())
		socket := filepath.Join(dir, control.Name)
		if conn, err := net.DialTimeout("unix", socket, time.Second); err == nil {
			conn.Close()
			continue
		}
		_, _ = os.Remove(socket), os.Remove(dir) // the folder goes if there is nothing else in it
	}
}

// Why asks all running stacks of this user what became of a request.
func Why(ctx context.Context, folder, id string) (report string, err error) {
	found, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	asked := 0
	for _, instance := range found {
		var a answer
		client := control.NewClient(filepath.Join(folder, instance.Name()))
		if client.Ask(ctx, "/why", question{id}, &a) != nil {
			continue // it has ended, and could not tidy up
		}
		if asked++; a.Known {
			return a.Report, nil
		}
	}
	if asked == 0 {
		return "", errors.New("no confab run is running, and what they knew ends with them")
	}
	return "", fmt.Errorf("no request %s is known: the last %d are kept", id, maxEntries)
}
