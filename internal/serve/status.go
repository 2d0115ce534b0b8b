package serve

import (
	"net/http"
	"time"

	"github.com/confab-chat/confab/internal/signin"
)

// Status is what an operator asks first.
type Status struct {
	Version     string    `json:"version"`
	Auth        string    `json:"auth"` // open, link, proxy or oidc
	Since       time.Time `json:"since"`
	Connections int       `json:"connections"`
	Total       uint64    `json:"connectionsTotal"` // since the start
	MessagesIn  uint64    `json:"messagesIn"`
	MessagesOut uint64    `json:"messagesOut"`
	Dropped     uint64    `json:"messagesDropped"` // for slow readers
	Draining    bool      `json:"draining"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	stats := s.api.Stats()
	now := Status{
		Version: s.config.Version, Auth: s.mode().Auth, Since: s.since, Connections: stats.Open,
		Total: stats.Total, MessagesIn: stats.MessagesIn, MessagesOut: stats.MessagesOut,
		Draining: s.drains.Load(),
	}
	for _, n := range stats.Dropped {
		now.Dropped += n
	}
	signin.Reply(w, r, s.config.Logger, now, nil)
}
