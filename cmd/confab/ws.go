package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/terminal"
	"github.com/confab-chat/confab/internal/wsline"
)

// wsFlags are the flags of confab ws.
type wsFlags struct {
	options wsline.Options
	headers []string
	origin  string
	tls     tlsFlags
}

func newWS() *cobra.Command {
	f := &wsFlags{}
	cmd := &cobra.Command{
		Use:   "ws URL",
		Short: "Talk to any WebSocket server, frame by frame",
		Long: `Talk to any WebSocket server: a line of the input is sent as a text frame, and each
frame that comes is printed as a line, binary ones in hexadecimal. Behind a pipe a frame is printed
byte for byte; on a terminal what could act on it is written out. Empty lines are not sent.

The exit code is 0 when the connection was closed by you, or by the server with code 1000, 1001 or
none; 1 when the server refused the connection, closed it with another code, or it was lost; 2 when
the command line is not understood; 3 when no server answers in time; 130 after Ctrl-C in a script.`,
		Example: `  confab ws "ws://127.0.0.1:8080/production?name=alice"
  confab ws wss://chat.example/production -s confab -s "$(confab ticket)"
  confab ws ws://127.0.0.1:8080/production -x '{"action":"help"}' -c 1 | jq .
  confab ws wss://127.0.0.1:8443/production --ca chat.pem -H 'Authorization: Bearer …'`,
		Args: arguments(1, 1, "one URL, as ws://127.0.0.1:8080/production"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	s, o := cmd.Flags(), &f.options
	s.StringArrayVarP(&f.headers, "header", "H", nil,
		"a header of the handshake, as 'Name: value'; repeatable")
	s.StringArrayVarP(&o.Subprotocols, "subprotocol", "s", nil,
		"a sub-protocol to offer; repeatable")
	s.StringVarP(&f.origin, "origin", "o", "", "the header Origin, as pages send it")
	s.StringArrayVarP(&o.Execute, "execute", "x", nil,
		"send this frame and read no input; repeatable")
	s.DurationVarP(&o.Wait, "wait", "w", time.Second,
		"how long to wait for answers after -x or the end of the input; "+
			"below 0 until the server closes")
	s.IntVarP(&o.Count, "count", "c", 0,
		"end when so many frames have come; with fewer after --wait the exit code is 3")
	s.BoolVarP(&o.Binary, "binary", "b", false,
		"lines are bytes in hexadecimal, sent as binary frames")
	s.BoolVar(&o.JSON, "json", false, "print each event as a line of JSON")
	s.DurationVar(&o.Ping, "ping", 0,
		"send pings so often, and end when one is not answered; 0 for none")
	s.BoolVarP(&o.ShowPings, "show-ping-pong", "P", false, "print pings and pongs that come")
	s.DurationVar(&o.Connect, "timeout", 10*time.Second,
		"how long the handshake may take; 0 for ever")
	f.tls.define(cmd)
	return cmd
}

func (f *wsFlags) run(cmd *cobra.Command, target string) error {
	if err := f.fill(target); err != nil {
		return usageError{err}
	}
	var err error
	if f.options.TLS, err = f.tls.config(); err != nil {
		return err
	}
	var in io.Reader = strings.NewReader("")
	if len(f.options.Execute) == 0 {
		in = cmd.InOrStdin()
	}
	out, _ := outputs(cmd)
	endWithReader(cmd.Context(), out)
	return converse(cmd, in, "> ", true, func(console *terminal.Console) error {
		return wsline.Run(cmd.Context(), f.options, console)
	})
}

// fill makes the options of the command line.
func (f *wsFlags) fill(target string) error {
	u, err := url.Parse(target)
	schemes := []string{"ws", "wss", "http", "https"}
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) {
		return fmt.Errorf("%q is no URL of a WebSocket: want one as ws://127.0.0.1:8080/production",
			terminal.CleanLine(target))
	}
	f.options.URL, f.options.Header = target, http.Header{}
	for _, header := range f.headers {
		name, value, ok := strings.Cut(header, ":")
		if !ok || name == "" {
			return fmt.Errorf("--header %q: want one as 'Name: value'", header)
		}
		f.options.Header.Add(name, strings.TrimSpace(value))
	}
	if f.origin != "" {
		f.options.Header.Set("Origin", f.origin)
	}
	if f.options.Ping < 0 || f.options.Connect < 0 {
		return errors.New("--ping and --timeout: want at least 0s")
	}
	return nil
}

// tlsFlags say which certificates are good.
type tlsFlags struct {
	ca       string
	insecure bool
}

func (f *tlsFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.ca, "ca", "",
		"a PEM file of certificates to trust instead of the system's, as of a server's own")
	cmd.Flags().BoolVar(&f.insecure, "insecure", false,
		"take any certificate: everybody on the way can read and change everything")
}

// config is nil where the system's certificates count.
func (f *tlsFlags) config() (*tls.Config, error) {
	switch {
	case f.insecure && f.ca != "":
		return nil, usageError{errors.New("--insecure and --ca: want one of them")}
	case f.insecure:
		return &tls.Config{InsecureSkipVerify: true}, nil //nolint:gosec // it was asked for
	case f.ca == "":
		return nil, nil
	}
	text, err := os.ReadFile(f.ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca %s: there is no certificate in it", f.ca)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
