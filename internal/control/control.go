// Package control is the socket in the data folder by which commands on the host reach a running
// server. Nothing on it needs a secret: the file's mode says who may open it.
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/confab-chat/confab/internal/signin"
)

// Name is the socket's file in the data folder.
const Name = "control.sock"

// maxPath is the longest path of a socket: macOS and the BSDs have 104 bytes for it and its end
// (unix(4)), Linux 108 (unix(7)).
const maxPath = 103

// answerLimit is how long a command waits for the server.
const answerLimit = 30 * time.Second

// Listen opens the socket of a data folder, which is made where it is not there. What a server that
// died has left is replaced; the socket of one that lives is not. Close removes it.
func Listen(data string) (net.Listener, error) {
	name := filepath.Join(data, Name)
	if len(name) > maxPath {
		return nil, fmt.Errorf("%s has %d bytes, and a socket's path at most %d: "+
			"use a shorter --data, or a relative one", name, len(name), maxPath)
	}
	made := os.Mkdir(data, 0o700) == nil
	if conn, err := net.DialTimeout("unix", name, time.Second); err == nil {
		conn.Close()
		return nil, fmt.Errorf("%s: another server answers here", name)
	}
	listener, err := listen(data, name)
	if err != nil {
		return nil, err
	}
	return &socket{Listener: listener, name: name, made: made}, nil
}

// listen makes the socket in a folder that nobody else can enter, and gives it its name when it has
// its mode: at no time can others open it.
func listen(data, name string) (net.Listener, error) {
	private := filepath.Join(data, ".new")
	if err := os.Mkdir(private, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	defer func() { _ = os.Remove(private) }() // one that stays does no harm
	fresh := filepath.Join(private, "s")
	_ = os.Remove(fresh) // of a server that died just here
	listener, err := net.Listen("unix", fresh)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err = os.Chmod(fresh, 0o600); err == nil {
		err = os.Rename(fresh, name)
	}
	if err != nil {
		listener.Close()
		return nil, errors.Join(err, os.Remove(fresh))
	}
	return listener, nil
}

// socket is the listener and what it leaves behind.
type socket struct {
	net.Listener
	name string
	made bool // the folder too
}

// Close ends the socket, and the folder where there was none before and is nothing else in it.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	err = errors.Join(err, os.Remove(s.name))
	if s.made {
		_ = os.Remove(filepath.Dir(s.name)) // it stays when there is data in it
	}
	return err
}

// Client asks the server of a data folder.
type Client struct {
	data string
	http *http.Client
}

// NewClient makes a client of the server that has the data folder. It connects when it asks.
func NewClient(data string) *Client {
	name := filepath.Join(data, Name)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", name)
	}
	return &Client{data, &http.Client{
		Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true},
		Timeout:   answerLimit,
	}}
}

// Ask sends a body as JSON, or without one gets, and fills answer from what comes back. An error is
// a sentence for people: the server's own, or why none was reached.
func (c *Client) Ask(ctx context.Context, path string, body, answer any) error {
	err := signin.Ask(ctx, c.http, "http://confab"+path, "", body, answer)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no server runs with the data folder %s: start it with "+
			"confab serve --data %s, or name another folder with --data", c.data, c.data)
	case errors.Is(err, fs.ErrPermission):
		name := filepath.Join(c.data, Name)
		return fmt.Errorf("%s belongs to somebody else: run this as the user of the server, or as root",
			name)
	}
	return err
}
