package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/client"
	"github.com/confab-chat/confab/internal/login"
	"github.com/confab-chat/confab/internal/signin"
)

func newLogin() *cobra.Command {
	var handle string
	cmd := &cobra.Command{
		Use:   "login [LINK]",
		Short: "Sign programs on this machine in, by a link",
		Long: `Sign programs on this machine in at a server, by a link that somebody gave you. Without the
LINK on the command line, where others on this machine may see it, you are asked for it. The session
is kept in your folder of settings, readable by you alone.`,
		Example: `  confab login
  confab login 'https://chat.example/join#…' --handle alice`,
		Args: arguments(0, 1, "one LINK or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := bufio.NewReader(cmd.InOrStdin())
			var link string
			var err error
			if len(args) == 1 {
				link = args[0]
			} else if link, err = prompt(cmd, in, "Link: "); err != nil {
				return err
			}
			return signInHere(cmd, in, link, handle)
		},
	}
	cmd.Flags().StringVar(&handle, "handle", "",
		"your name in the chat, where the link makes an account")
	return cmd
}

// prompt asks for a line, on standard error, so that output stays for programs.
func prompt(cmd *cobra.Command, in *bufio.Reader, question string) (string, error) {
	fmt.Fprint(cmd.ErrOrStderr(), question)
	line, err := in.ReadString('\n')
	line = strings.TrimSpace(line)
	if line == "" {
		if err != nil {
			fmt.Fprintln(cmd.ErrOrStderr())
		}
		err = fmt.Errorf("%snothing was given; see %s --help", question, cmd.CommandPath())
		return "", usageError{err}
	}
	return line, nil
}

func signInHere(cmd *cobra.Command, in *bufio.Reader, link, handle string) error {
	ctx := cmd.Context()
	server, secret, err := login.ParseLink(link)
	if err != nil {
		return usageError{err}
	}
	file, err := login.Default()
	if err != nil {
		return err
	}
	if err := notSignedIn(cmd, file, server); err != nil {
		return err
	}
	if server.Plain() {
		fmt.Fprintf(cmd.ErrOrStderr(),
			"%s has no TLS: everybody on the way can read this link and the session.\n", server.Origin)
	}
	found, err := server.Look(ctx, secret)
	if err != nil {
		return err
	}
	if found.Kind != auth.DeviceLink.String() && handle == "" {
		handle, err = prompt(cmd, in, "Your handle, the name in the chat that stays yours: ")
		if err != nil {
			return err
		}
	}
	person, err := server.SignIn(ctx, secret, handle)
	if err != nil {
		return err
	}
	err = file.Put(server.Origin, client.Session{
		Handle: person.Handle, Device: person.Device, Session: person.Session,
		Since: time.Now().UTC().Truncate(time.Second),
	})
	if err != nil {
		return errors.Join(err, server.SignOut(ctx, person.Session)) // nobody would have it
	}
	sayWelcome(cmd, server, file, person)
	return nil
}

func sayWelcome(cmd *cobra.Command, server *login.Server, file login.File, person signin.Person) {
	role := ""
	if person.Owner {
		role = ", an owner"
	}
	cmd.Printf("Signed in at %s as %s%s. The session is in %s.\n",
		server.Origin, person.Handle, role, file)
	cmd.Printf("Talk:     confab chat %s\n", server.Origin)
	cmd.Printf("Sign out: confab logout %s\n", server.Origin)
}

// notSignedIn refuses to lose a session that is still good.
func notSignedIn(cmd *cobra.Command, file login.File, server *login.Server) error {
	sessions, err := file.Sessions()
	if err != nil {
		return err
	}
	have, ok := sessions[server.Origin]
	if !ok {
		return nil
	}
	lives, err := server.Lives(cmd.Context(), have.Session)
	if err == nil && lives {
		err = fmt.Errorf("signed in at %s already, as %s; first: confab logout %s",
			server.Origin, have.Handle, server.Origin)
	}
	return err
}

func newLogout() *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use:   "logout [URL]",
		Short: "Sign programs on this machine out",
		Long: `Sign programs on this machine out at a server: the session ends there, what it has connected
is closed, and it is forgotten here. The URL may be left out where there is only one.`,
		Example: `  confab logout
  confab logout https://chat.example
  confab logout https://chat.example --forget`,
		Args: arguments(0, 1, "the URL of one server, or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, server, session, err := signedInAt(args)
			if err != nil {
				return err
			}
			if forget {
				const text = "The session lives on until an owner ends it: confab user sign-out %s %s\n"
				cmd.Printf(text, session.Handle, session.Device)
			} else if err := server.SignOut(cmd.Context(), session.Session); err != nil {
				const text = "%w; to forget the session without ending it: confab logout %s --forget"
				return fmt.Errorf(text, err, server.Origin)
			}
			if err := file.Drop(server.Origin); err != nil {
				return err
			}
			cmd.Printf("Signed out at %s.\n", server.Origin)
			return nil
		},
	}
	cmd.Flags().BoolVar(&forget, "forget", false,
		"only forget the session here: its server is gone")
	return cmd
}

func newTicket() *cobra.Command {
	return &cobra.Command{
		Use:   "ticket [URL]",
		Short: "Print a ticket that opens one connection",
		Long: `Print a ticket for the session that confab login has stored. It opens one WebSocket within 30
seconds, as the second value of Sec-WebSocket-Protocol after "confab".`,
		Example: `  npx wscat -c wss://chat.example/production -s confab -s "$(confab ticket)"`,
		Args:    arguments(0, 1, "the URL of one server, or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, server, session, err := signedInAt(args)
			if err != nil {
				return err
			}
			ticket, err := server.Ticket(cmd.Context(), session.Session)
			if err != nil {
				return err
			}
			cmd.Println(ticket)
			return nil
		},
	}
}

// signedInAt finds the session that a command is about: at the URL, or the only one.
func signedInAt(args []string) (file login.File, s *login.Server, have client.Session, err error) {
	if file, err = login.Default(); err != nil {
		return "", nil, have, err
	}
	sessions, err := file.Sessions()
	if err != nil {
		return "", nil, have, err
	}
	origins := login.Origins(sessions)
	switch {
	case len(args) == 1:
		origins = args
	case len(origins) == 0:
		return "", nil, have, errors.New("signed in nowhere; first: confab login")
	case len(origins) > 1:
		all := strings.Join(origins, ", ")
		return "", nil, have, usageError{fmt.Errorf("signed in at several servers: name one of %s", all)}
	}
	if s, err = login.NewServer(origins[0]); err != nil {
		return "", nil, have, usageError{err}
	}
	have, ok := sessions[s.Origin]
	if !ok {
		return "", nil, have, fmt.Errorf("not signed in at %s; first: confab login", s.Origin)
	}
	return file, s, have, nil
}
