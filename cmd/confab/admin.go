package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/serve"
)

// startAdmin serves health, metrics and pprof. The default address is given up with a warning
// when it is in use: a second server on the machine is no reason not to start.
func (f *serveFlags) startAdmin(cmd *cobra.Command, s *serve.Server) *http.Server {
	admin := f.adminServer(s.Admin())
	if f.adminAddr == "off" {
		return admin
	}
	listener, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", f.adminAddr)
	if err != nil {
		f.config.Logger.Warn("no admin listener: use --admin-addr", "error", err)
		return admin
	}
	f.config.Logger.Info("admin listener", "address", listener.Addr().String())
	go func() {
		if err := admin.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			f.config.Logger.Error("admin listener", "error", err)
		}
	}()
	return admin
}

// credentials gives the key pair that @connections calls are signed with. It is made at the first
// start and kept in the data folder, readable by its owner only.
func (f *serveFlags) credentials() (map[string]string, error) {
	loopback := serve.CheckAddress(f.reach.addr, false) == nil
	if f.connectionsAPI == "off" || f.connectionsAPI == "auto" && !loopback {
		return nil, nil
	}
	if f.memory {
		return map[string]string{rand.Text(): rand.Text()}, nil
	}
	return keptCredentials(filepath.Join(f.data, "connections-api.json"))
}

func keptCredentials(file string) (map[string]string, error) {
	var keys map[string]string
	text, err := os.ReadFile(file)
	if err == nil {
		if err := json.Unmarshal(text, &keys); err != nil {
			return nil, fmt.Errorf("%s: %w; remove it and a new one is made", file, err)
		}
		return keys, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	keys = map[string]string{"CONFAB" + rand.Text()[:14]: rand.Text()}
	if text, err = json.Marshal(keys); err != nil {
		return nil, err
	}
	return keys, os.WriteFile(file, text, 0o600)
}

// Limits of what is no WebSocket; those have deadlines of their own.
const (
	answerTimeout = time.Minute // to take an answer
	idleTimeout   = time.Minute // between requests to the admin listener
)

// publicServer bounds how long a client may take for its headers, for a request, between two, and
// to take the answer.
func (f *serveFlags) publicServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: gateway.HeaderTimeout, ReadTimeout: gateway.HandshakeTimeout,
		WriteTimeout: answerTimeout, ErrorLog: quiet(f.config.Logger),
	}
}

// adminServer bounds only what keeps no profile from lasting as long as it is to.
func (f *serveFlags) adminServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: gateway.HeaderTimeout, IdleTimeout: idleTimeout,
		ErrorLog: quiet(f.config.Logger),
	}
}

// quiet sends what net/http has to say about single connections to the debug log.
func quiet(logger *slog.Logger) *log.Logger {
	return slog.NewLogLogger(logger.Handler(), slog.LevelDebug)
}
