// Package login keeps what programs on this machine are signed in with: `confab login` writes it,
// clients read it. docs/operations.md describes the file.
package login

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/confab-chat/confab/client"
)

// File is where sessions are kept, by the origin of their server, as https://chat.example.
type File string

// content is the file's form, which the package client reads.
type content struct {
	Version  int                       `json:"version"`
	Sessions map[string]client.Session `json:"sessions"`
}

// Default is the file in the user's folder of settings.
func Default() (File, error) {
	file, err := client.SessionsFile()
	return File(file), err
}

// Sessions reads all sessions; there are none where there is no file.
func (f File) Sessions() (map[string]client.Session, error) {
	return client.ReadSessions(string(f))
}

// Put keeps the session at an origin, instead of the one before.
func (f File) Put(origin string, s client.Session) error {
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
func Origins(sessions map[string]client.Session) []string { return slices.Sorted(maps.Keys(sessions)) }

// write replaces the file in one step, readable by its owner only.
func (f File) write(sessions map[string]client.Session) error {
	folder := filepath.Dir(string(f))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(content{client.SessionsVersion, sessions}, "", "  ")
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
