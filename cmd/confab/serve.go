package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/serve"
	"github.com/confab-chat/confab/internal/version"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// serveFlags are the flags of confab serve.
type serveFlags struct {
	reach               reachFlags
	data, adminAddr     string
	memory              bool
	auth                string
	proxy               proxyFlags
	oidc                oidcFlags
	connectionsAPI      string
	logFormat, logLevel string
	keep                retention
	config              serve.Config
	stop                func() // lets a second interrupt end the process at once
}

func newServe(stop func()) *cobra.Command {
	f := &serveFlags{stop: stop}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the chat server",
		Long: `Run the chat server. Without flags it listens on 127.0.0.1:8080 and keeps its data in
./confab-data. Each flag can be given as an environment variable too: --addr is CONFAB_ADDR.`,
		Example: `  confab serve
  confab serve --memory --addr 127.0.0.1:9000
  confab serve --addr :443 --public-url https://chat.example --acme
  confab serve --addr 192.0.2.7:8080 --insecure-http --auth open
  CONFAB_DATA=/srv/chat confab serve --log-format json`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *serveFlags) define(cmd *cobra.Command) {
	s, c := cmd.Flags(), &f.config
	f.reach.define(cmd)
	s.StringVar(&f.data, "data", defaultData, "the data folder")
	s.BoolVar(&f.memory, "memory", false, "keep nothing: messages live in memory")
	s.StringVar(&f.auth, "auth", "",
		"who may come in: open (anybody by any name; the default on loopback), link (accounts, made by "+
			"links; the default elsewhere), proxy (whom a proxy in front has signed in) or oidc (whom an "+
			"issuer signs in)")
	f.proxy.define(cmd)
	f.oidc.define(cmd)
	s.StringSliceVar(&c.Stages, "stage", serve.DefaultStages,
		"stages to answer, the first part of the URL's path")
	s.StringVar(&c.Dialect, "dialect", "native",
		"dialect of connections that name none: "+strings.Join(chatapi.Dialects(), ", "))
	s.StringSliceVar(&c.AllowedOrigins, "allowed-origins", nil,
		"origins of pages that may connect, beside this host's own, as https://chat.example")
	s.StringSliceVar(&c.AllowedHosts, "allowed-hosts", nil,
		"host names that are served, beside loopback and this machine's address")
	s.StringVar(&f.connectionsAPI, "connections-api", "auto",
		"answer signed calls of the @connections API: auto (on loopback only), on, off")
	s.StringVar(&f.adminAddr, "admin-addr", "127.0.0.1:8081",
		"address of health, metrics and pprof; \"off\" for none")
	s.StringVar(&f.logFormat, "log-format", "text", "text or json")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	s.IntVar(&c.Rate, "rate", 2000, "actions a second of one connection")
	s.IntVar(&c.Burst, "burst", 4000, "actions of one connection at once")
	s.IntVar(&c.AddressRate, "address-rate", 10000,
		"actions a second of one address that is not loopback")
	s.IntVar(&c.QueueFrames, "queue-frames", 256,
		"frames that wait for a slow reader before some are dropped")
	s.IntVar(&c.QueueBytes, "queue-bytes", 1<<20,
		"bytes that wait for a slow reader before some are dropped")
	s.IntVar(&c.ResumeMax, "resume-max", chat.ResumeMax,
		"missed messages of a room that a resume sends by itself")
	s.Var(&f.keep, "retention",
		"how long rooms keep messages that confab room does not say it of, as 90d; forever keeps all")
	s.DurationVar(&c.Drain, "drain", 10*time.Second,
		"how long a stop waits for clients to go by themselves")
}

// run serves until the context ends: then it drains.
func (f *serveFlags) run(cmd *cobra.Command) error {
	logger, err := newLogger(cmd.ErrOrStderr(), f.logFormat, f.logLevel)
	if err != nil {
		return err
	}
	if err := f.check(cmd); err != nil {
		return err
	}
	f.config.Metrics = serve.NewMetrics()
	fatal := make(chan error, 1)
	log, closeLog, err := f.openLog(logger, fatal)
	if err != nil {
		return err
	}
	f.config.Log, f.config.Logger, f.config.Version = log, logger, version.Number
	f.config.Sessions, f.config.Retention = f.sessions(log), f.keep.keep
	f.config.Notice = f.notice()
	err = f.listenAndServe(cmd, fatal)
	return errors.Join(err, closeLog())
}

func (f *serveFlags) check(cmd *cobra.Command) error {
	if err := f.reach.apply(&f.config); err != nil {
		return err
	}
	if err := f.chooseAuth(cmd); err != nil {
		return err
	}
	for name, v := range map[string]int{
		"rate": f.config.Rate, "burst": f.config.Burst, "address-rate": f.config.AddressRate,
		"queue-frames": f.config.QueueFrames, "queue-bytes": f.config.QueueBytes,
		"resume-max": f.config.ResumeMax,
	} {
		if v < 1 {
			return usageError{fmt.Errorf("--%s %d: want at least 1", name, v)}
		}
	}
	if !slices.Contains([]string{"auto", "on", "off"}, f.connectionsAPI) {
		return usageError{fmt.Errorf("--connections-api %q: want auto, on or off", f.connectionsAPI)}
	}
	if f.config.Drain < 0 {
		return usageError{fmt.Errorf("--drain %v: want at least 0s", f.config.Drain)}
	}
	if f.adminAddr != "off" {
		if err := serve.CheckAddress(f.adminAddr, f.reach.insecure); err != nil {
			return usageError{fmt.Errorf("--admin-addr: %w", err)}
		}
	}
	if err := serve.CheckStages(f.config.Stages); err != nil {
		return usageError{err}
	}
	if err := serve.CheckDialect(f.config.Dialect); err != nil {
		return usageError{err}
	}
	return nil
}

// openLog opens the store. Its fatal errors end the server: nothing may be acknowledged after one.
func (f *serveFlags) openLog(
	logger *slog.Logger, fatal chan<- error,
) (chat.Log, func() error, error) {
	if f.memory {
		return memstore.NewLog(memstore.Options{}), func() error { return nil }, nil
	}
	store, err := sqlitestore.Open(f.data, sqlitestore.Options{
		Logger: logger, OnCommit: f.config.Metrics.Committed,
		OnFatal: func(err error) {
			select {
			case fatal <- err:
			default:
			}
		},
	})
	if chat.Is(err, chat.Taken) {
		err = fmt.Errorf("already running: %s; stop it, or use another --data", sentence(err))
	}
	if err != nil {
		return nil, nil, err
	}
	return store, store.Close, nil
}

func (f *serveFlags) listenAndServe(cmd *cobra.Command, fatal <-chan error) error {
	ctx := cmd.Context()
	listener, err := f.reach.listen(ctx, &f.config, f.data)
	if err != nil {
		return err
	}
	if f.config.Credentials, err = f.credentials(); err != nil {
		return errors.Join(err, listener.Close())
	}
	server, err := serve.New(f.config)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	public := f.publicServer(server)
	admin := f.startAdmin(cmd, server)
	origin := f.reach.origin(&f.config, listener.Addr())
	host := f.startControl(cmd, server, origin)
	defer func() { _ = host.Close() }() // its socket is gone, or the next start replaces it
	failed := make(chan error, 1)
	go func() { failed <- public.Serve(listener) }()
	f.warn()
	f.announce(cmd.OutOrStdout(), origin)
	if err := f.firstLink(ctx, cmd.OutOrStdout(), server.Desk(), origin); err != nil {
		f.config.Logger.Error("no link for an owner: try confab link --owner", "error", err)
	}
	f.notify(daemon.SdNotifyReady)
	select {
	case err = <-failed:
	case err = <-fatal:
		return storeFailed(err)
	case <-ctx.Done():
	}
	f.stop()
	f.notify(daemon.SdNotifyStopping)
	f.sayDrain(cmd.ErrOrStderr(), server.Stats().Open)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.config.Drain+10*time.Second)
	defer cancel()
	// No new connection from here on: a client that comes back at once is to meet the next server.
	err = errors.Join(err, public.Close())
	drained := make(chan error, 1)
	go func() { drained <- server.Shutdown(bounded) }()
	select {
	case late := <-drained:
		return errors.Join(err, late, admin.Close())
	case lost := <-fatal:
		return storeFailed(lost)
	}
}

func storeFailed(err error) error {
	return fmt.Errorf("the store failed, so that nothing more can be promised: %w", err)
}

func (f *serveFlags) announce(out io.Writer, origin string) {
	where := "in " + f.data
	if f.memory {
		where = "in memory: it is gone when this stops"
	}
	fmt.Fprintf(out, "Confab %s. Chat data %s.\n", version.Number, where)
	if f.auth != openMode {
		const text = "Open %s/ for how to come in: who has an account, or a link.\nCtrl-C stops it.\n"
		fmt.Fprintf(out, text, origin)
		return
	}
	stage := strings.Trim(f.config.Stages[0], "/")
	socket := "ws" + strings.TrimPrefix(origin, "http")
	fmt.Fprintf(out, `Open %s/ or connect two terminals and talk:

  npx wscat -c "%s/%s?name=alice"
  npx wscat -c "%s/%s?name=bob"
  {"action":"sendMessage","message":"hello"}

Ctrl-C stops it.
`, origin, socket, stage, socket, stage)
}

// notify tells systemd how the server is, where it was started as a service of type notify.
func (f *serveFlags) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		f.config.Logger.Warn("systemd not notified", "state", state, "error", err)
	}
}

func (f *serveFlags) sayDrain(out io.Writer, open int) {
	if open > 0 {
		fmt.Fprintf(out, "Stopping: %d connections are asked to reconnect, at most %v. "+
			"Ctrl-C again stops at once.\n", open, f.config.Drain)
	}
}

func newLogger(out io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", level)}
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, options)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format %q: want text or json", format)}
}

// isTerminal tells whether a person is at the other end of an input or output.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
