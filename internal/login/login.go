package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/signin"
)

// answerLimit is how long a server may take.
const answerLimit = 30 * time.Second

// Server is a server as a program on this machine reaches it.
type Server struct {
	Origin string // as https://chat.example
	client *http.Client
}

// NewServer makes the client of the server at an origin. It follows no redirect: what it sends is
// for that server alone.
func NewServer(origin string) (*Server, error) {
	u, err := serve.ParsePublicURL(origin)
	if err != nil {
		return nil, err
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Server{u.String(), &http.Client{Timeout: answerLimit, CheckRedirect: refuse}}, nil
}

// ParseLink gives the server of a link, as people paste it, and its secret.
func ParseLink(link string) (s *Server, secret string, err error) {
	bad := errors.New("this is no link: want one as https://chat.example/join#…, " +
		"with all that is behind the #")
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || u.Fragment == "" || u.Path != "/join" {
		return nil, "", bad // without the link: it may be most of a secret
	}
	if s, err = NewServer(u.Scheme + "://" + u.Host); err != nil {
		return nil, "", bad
	}
	return s, u.Fragment, nil
}

// Plain tells whether what is sent can be read on the way.
func (s *Server) Plain() bool {
	u, err := url.Parse(s.Origin)
	return err == nil && u.Scheme == "http" && !serve.IsLoopback(u.Hostname())
}

// Look tells what a link is good for, without using it.
func (s *Server) Look(ctx context.Context, secret string) (signin.Found, error) {
	var found signin.Found
	err := s.ask(ctx, "/auth/look", "", map[string]string{"link": secret}, &found)
	return found, err
}

// SignIn uses a link. The handle counts where the link makes an account.
func (s *Server) SignIn(ctx context.Context, secret, handle string) (signin.Person, error) {
	var p signin.Person
	err := s.ask(ctx, "/auth/sign-in", "", map[string]string{"link": secret, "handle": handle}, &p)
	if err == nil {
		if _, err = auth.CleanHandle(p.Handle); err != nil { // it is shown on a terminal
			err = fmt.Errorf("something answers at %s, and it is not Confab", s.Origin)
		}
	}
	return p, err
}

// Lives tells whether a session is still good.
func (s *Server) Lives(ctx context.Context, session string) (bool, error) {
	err := s.ask(ctx, "/auth/me", session, nil, &signin.Person{})
	if isOver(err) {
		return false, nil
	}
	return err == nil, err
}

// SignOut ends a session; one that has ended already is no error.
func (s *Server) SignOut(ctx context.Context, session string) error {
	err := s.ask(ctx, "/auth/sign-out", session, struct{}{}, &struct{}{})
	if isOver(err) {
		return nil
	}
	return err
}

// Ticket gives a ticket with which one socket may be opened.
func (s *Server) Ticket(ctx context.Context, session string) (string, error) {
	var answer struct {
		Ticket string `json:"ticket"`
	}
	err := s.ask(ctx, "/auth/ticket", session, struct{}{}, &answer)
	if isOver(err) {
		err = fmt.Errorf("the session at %s is over: confab login, with a new link", s.Origin)
	}
	return answer.Ticket, err
}

// isOver tells that nothing can be done with a session any more: it has ended, or its account is
// disabled.
func isOver(err error) bool {
	return chat.Is(err, chat.Unauthenticated) || chat.Is(err, chat.Forbidden)
}

func (s *Server) ask(ctx context.Context, path, session string, body, answer any) error {
	return signin.Ask(ctx, s.client, s.Origin+path, session, body, answer)
}
