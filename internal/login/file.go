// Package login keeps what programs on this machine are signed in with: `confab login` writes it,
// clients read it. docs/operations.md describes the file.
package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// version is that of the file's form.
const version = 1

// Session is a device that is signed in at a server.
type Session struct {
	Handle  string    `json:"handle"`
	Device  string    `json:"device"`  // id, as lists of devices show it
	Session string    `json:"session"` // the secret itself
	Since   time.Time `json:"since"`
}

// File is where sessions are kept, by the origin of their server, as https://chat.example.
type File string

// content is the file's form.
type content struct {
	Version  int                `json:"version"`
	Sessions map[string]Session `json:"sessions"`
}

// Default is the file in the user's folder of settings.
func Default() (File, error) {
	folder, err := os.UserConfigDir()
	return File(filepath.Join(folder, "confab", "sessions.json")), err
}

// Sessions reads all sessions; there are none where there is no file.
func (f File) Sessions() (map[string]Session, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Session{}, nil
	}
	if err != nil {
		return nil, err
	}
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; remove it and sign in again", f, err)
	}
	if c.Version != version {
		return nil, fmt.Errorf("%s has version %d, and this program knows %d alone",
			f, c.Version, version)
	}
	if c.Sessions == nil {
		c.Sessions = map[string]Session{}
	}
	return c.Sessions, nil
}

// Put keeps the session at an origin, instead of the one before.
func (f File) Put(origin string, s Session) error {
	sessions, err := f.Sessions()
	if err != nil {
		return err
	}
	sessions[origin] = s
	return f.write(sessions)
}

// Drop forgets the session at an origin.
func (f File) Drop(origin string) error {
	sessions, err := f.Sessions()
	if err != nil {
		return err
	}
	delete(sessions, origin)
	return f.write(sessions)
}

// Origins lists where sessions are.
func Origins(sessions map[string]Session) []string { return slices.Sorted(maps.Keys(sessions)) }

// write replaces the file in one step, readable by its owner only.
func (f File) write(sessions map[string]Session) error {
	folder := filepath.Dir(string(f))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(content{version, sessions}, "", "  ")
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(folder, ".sessions-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = fresh.Write(append(text, '\n'))
	err = errors.Join(err, fresh.Sync(), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), string(f))
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh.Name()))
	}
	return nil
}
