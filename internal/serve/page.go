package serve

import (
	"net/http"

	"github.com/confab-chat/confab/web"
)

// wirePage makes the page, which is told how people come in here.
func (s *Server) wirePage() error {
	mode := s.mode()
	var err error
	s.pages, err = web.New(web.About{
		Version: s.config.Version, Socket: "./" + s.config.Stages[0], Auth: mode.Auth,
		SignIn: mode.SignIn, Notice: s.config.Notice,
	})
	return err
}

// isPage tells whether a request is for a file of the page. Joining is for servers with links.
func (s *Server) isPage(r *http.Request) bool {
	links := s.desk != nil && s.config.Proxy == nil
	return s.pages.Serves(r.URL.Path) && r.Header.Get("Upgrade") == "" &&
		(links || r.URL.Path != "/join")
}
