package serve

import (
	"net/http"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/signin"
)

// Operator answers the host's operator: it belongs on a socket that only the operator can open.
// origin is where people reach the server. Beside /status, /rooms, /messages and /kick it has what
// signin.Operator has, under /auth/.
func (s *Server) Operator(origin string) http.Handler {
	c := s.signInConfig
	c.Origin = func(*http.Request) string { return origin }
	mux := http.NewServeMux()
	if s.desk != nil {
		mux.Handle("/auth/", signin.Operator(c))
	} else {
		mux.HandleFunc("/auth/", func(w http.ResponseWriter, r *http.Request) {
			const text = "there are no accounts in open mode: start the server with --auth link"
			signin.Reply(w, r, s.config.Logger, nil, chat.E(chat.NotFound, text))
		})
	}
	mux.HandleFunc("GET /status", s.status)
	mux.HandleFunc("GET /rooms", s.listKept)
	mux.HandleFunc("POST /rooms", s.keep)
	mux.HandleFunc("POST /kick", s.kick)
	mux.HandleFunc("POST /rooms/remove", s.removeFor)
	mux.HandleFunc("POST /messages/delete", s.deleteFor)
	return mux
}

// Kicked is what a kick has ended.
type Kicked struct {
	User        string `json:"user"`
	Connections int    `json:"connections"`
	Devices     int    `json:"devices"` // that were signed in; 0 in open mode
}

// kick closes all sockets of a user and, where there are accounts, signs all devices out: without a
// new link the user does not come back.
func (s *Server) kick(w http.ResponseWriter, r *http.Request) {
	var q struct {
		User string `json:"user"`
	}
	err := signin.Read(r, &q)
	kicked := Kicked{User: q.User}
	if err == nil && s.desk != nil {
		var a auth.Account
		a, kicked.Devices, err = s.desk.SignOutEverywhere(r.Context(), nil, q.User)
		kicked.User = a.Handle
	}
	var open []chat.Connection
	if err == nil {
		open, err = s.handler.Service.DevicesNamed(r.Context(), kicked.User)
		kicked.Connections = len(open)
	}
	if err == nil {
		const reason = "the operator has ended this connection"
		err = s.handler.Revoke(r.Context(), kicked.User, "", reason)
	}
	signin.Reply(w, r, s.config.Logger, kicked, err)
}
