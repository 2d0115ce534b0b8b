package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// subprotocol announces that a ticket follows (docs/protocol.md, "Connecting").
const subprotocol = "confab"

// Session is a device that is signed in at a server, as `confab login` keeps it.
type Session struct {
	Handle  string    `json:"handle"`
	Device  string    `json:"device"`  // id, as lists of devices show it
	Session string    `json:"session"` // the secret itself
	Since   time.Time `json:"since"`
}

// SessionsVersion is the version of the sessions' file that this package reads.
const SessionsVersion = 1

// SessionsFile is the file in the user's folder of settings that `confab login` writes.
func SessionsFile() (string, error) {
	folder, err := os.UserConfigDir()
	return filepath.Join(folder, "confab", "sessions.json"), err
}

// ReadSessions reads a file of sessions, by the origin of their servers, as https://chat.example. There
// are none where there is no file.
func ReadSessions(file string) (map[string]Session, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]Session{}, nil
	}
	if err != nil {
		return nil, err
	}
	var content struct {
		Version  int                `json:"version"`
		Sessions map[string]Session `json:"sessions"`
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; remove it and sign in again", file, err)
	}
	if content.Version != SessionsVersion {
		return nil, fmt.Errorf("%s has version %d, and this program knows %d alone",
			file, content.Version, SessionsVersion)
	}
	if content.Sessions == nil {
		content.Sessions = map[string]Session{}
	}
	return content.Sessions, nil
}

// SignedIn signs in by the session that `confab login` has kept for the server in a file, "" for the
// one of this user. It is read before each connection.
func SignedIn(file string) Option {
	return func(o *options) { o.sessions, o.signedIn = file, true }
}

// kept gives the session that is kept for the server.
func (c *Client) kept() (string, error) {
	file := c.o.sessions
	if file == "" {
		var err error
		if file, err = SessionsFile(); err != nil {
			return "", err
		}
	}
	sessions, err := ReadSessions(file)
	if err != nil {
		return "", err
	}
	origin := Origin(c.url)
	if s, ok := sessions[origin]; ok {
		return s.Session, nil
	}
	return "", fmt.Errorf("%w at %s: confab login, with a link", ErrUnauthenticated, origin)
}

// Origin is the origin of a chat's address, as sessions are kept by it: scheme and host in lower case,
// and the port where it is not the scheme's own.
func Origin(u *url.URL) string {
	scheme, own := "http", "80"
	if u.Scheme == "wss" || u.Scheme == "https" {
		scheme, own = "https", "443"
	}
	host := strings.ToLower(u.Host)
	if u.Port() == own {
		host = strings.TrimSuffix(host, ":"+own)
	}
	return scheme + "://" + host
}

// parse reads the address of a chat.
func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	case "ws", "wss":
	default:
		return nil, fmt.Errorf("client: %q is no address of a chat: want one as wss://HOST/STAGE", address)
	}
	if u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("client: %q is no address of a chat: want one as wss://HOST/STAGE", u.Redacted())
	}
	return u, nil
}

// address gives where to connect, and what to show there.
func (c *Client) address(ctx context.Context) (where string, h http.Header, protocols []string, err error) {
	u := *c.url
	query := u.Query()
	query.Set("dialect", "native") // a server may have another default
	if name := c.nameNow(); name != "" {
		query.Set("name", name)
	}
	u.RawQuery = query.Encode()
	session := c.o.bearer
	if c.o.signedIn {
		if session, err = c.kept(); err != nil {
			return "", nil, nil, err
		}
	}
	h = http.Header{}
	if session != "" {
		h.Set("Authorization", "Bearer "+session)
	}
	if c.o.ticket != nil {
		ticket, err := c.o.ticket(ctx)
		if err != nil {
			return "", nil, nil, fmt.Errorf("client: ticket: %w", err)
		}
		protocols = []string{subprotocol, ticket}
	}
	return u.String(), h, protocols, nil
}

// nameNow is the name to connect with. A guest goes on as the guest it was: messages that are sent
// again have to come from the same user.
func (c *Client) nameNow() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.name != "" || c.o.bearer != "" || c.o.signedIn || c.o.ticket != nil {
		return c.name
	}
	return c.user
}

// newHTTPClient makes handshakes. It follows no redirect: what it sends is for that server alone.
func newHTTPClient() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = t.Clone()
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, CheckRedirect: refuse}
}
