package shell

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/user"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/login"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/terminal"
)

// localAddress is where `confab serve` listens without flags.
const localAddress = "ws://127.0.0.1:8080"

// Server says which server a command talks to, and as whom.
type Server struct {
	URL  string      // "": the one server that there is a session for, else the local one
	Name string      // who one is where the server believes names; "": the name on this machine
	TLS  *tls.Config // nil: the system's certificates
}

// ErrSeveral means that the server has to be named, because there are sessions for several.
var ErrSeveral = errors.New("signed in at several servers")

// resolve gives the address, and whether there is a session for it.
func (s *Server) resolve() (address *url.URL, signedIn bool, err error) {
	file, err := login.Default()
	if err != nil {
		return nil, false, err
	}
	sessions, err := file.Sessions()
	if err != nil {
		return nil, false, err
	}
	where := s.URL
	if origins := login.Origins(sessions); where == "" {
		switch len(origins) {
		case 0:
			where = localAddress
		case 1:
			where = origins[0]
		default:
			return nil, false, fmt.Errorf("%w: name one of %s by --url or CONFAB_URL",
				ErrSeveral, strings.Join(origins, ", "))
		}
	}
	if address, err = parseAddress(where); err != nil {
		return nil, false, err
	}
	_, signedIn = sessions[client.Origin(address)]
	return address, signedIn && !address.Query().Has("name"), nil
}

// parseAddress reads an address as people write it: http for ws, and without a path the stage that
// every server has.
func parseAddress(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no address: want one as ws://127.0.0.1:8080/production", text)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/" + serve.DefaultStages[0]
	}
	return u, nil
}

// name gives the name to connect with where the server believes names, "" for a guest.
func (s *Server) name(address *url.URL) string {
	if s.Name != "" || address.Query().Has("name") {
		return s.Name
	}
	me, err := user.Current()
	if err != nil {
		return ""
	}
	_, short, found := strings.Cut(me.Username, `\`) // Windows has a domain in front
	if !found {
		short = me.Username
	}
	if _, err := chat.CleanName("name", short); err != nil {
		return ""
	}
	return short
}

// dial connects. What was refused, or not reached within the limit, is not tried again.
func (s *Server) dial(ctx context.Context, limit time.Duration) (*client.Client, error) {
	address, signedIn, err := s.resolve()
	if err != nil {
		return nil, err
	}
	// A person waits: the pauses between attempts are shorter than a server's crowd should make.
	options := []client.Option{client.Backoff(250*time.Millisecond, 10*time.Second)}
	switch {
	case signedIn && s.Name == "":
		options = append(options, client.SignedIn(""))
	default:
		options = append(options, client.Name(s.name(address)))
	}
	if s.TLS != nil {
		options = append(options, client.HTTPClient(&http.Client{Transport: s.transport()}))
	}
	if limit > 0 {
		bounded, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		ctx = bounded
	}
	c, err := client.Dial(ctx, address.String(), options...)
	if errors.Is(err, client.ErrUnauthenticated) {
		err = fmt.Errorf("not signed in at %s; first: confab login", client.Origin(address))
	}
	if isNoAnswer(err) {
		err = fmt.Errorf("%w at %s: %s", ErrUnreachable, client.Origin(address), reason(err))
	}
	return c, err
}

// isNoAnswer tells that nobody is there to talk to.
func isNoAnswer(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, client.ErrSilent) ||
		errors.Is(err, context.DeadlineExceeded)
}

// reason is why a connection failed, without the words of all the layers in between.
func reason(err error) string {
	var network *net.OpError
	var closed websocket.CloseError
	switch {
	case errors.As(err, &network):
		return network.Error()
	case errors.As(err, &closed):
		text := fmt.Sprintf("closed with code %d %s", closed.Code, terminal.CleanLine(closed.Reason))
		return strings.TrimSpace(text)
	case errors.Is(err, context.DeadlineExceeded):
		return "the time is over"
	case errors.Is(err, io.EOF):
		return "it was cut"
	}
	return terminal.CleanLine(Sentence(err))
}

// transport makes handshakes with the certificates that are wanted.
func (s *Server) transport() http.RoundTripper {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: s.TLS,
		TLSHandshakeTimeout: 10 * time.Second,
	}
}

// ErrUnreachable means that no server answers, or not in time.
var ErrUnreachable = errors.New("no answer from the server")

// late makes the end of a time limit an ErrUnreachable.
func late(err error) error {
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnreachable) {
		return fmt.Errorf("%w in time", ErrUnreachable)
	}
	return err
}

// Sentence is an error for people, without the word that the client package begins its own with.
func Sentence(err error) string {
	var answer *client.Error
	if errors.As(err, &answer) && answer.Message != "" {
		return answer.Message
	}
	return strings.ReplaceAll(err.Error(), "client: ", "")
}
