package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/stack"
)

// runFlags are the flags of confab run.
type runFlags struct {
	config     rehearsal.Config
	parameters []string
	inspect    []string
	emulator   string
	watch      bool
	exec       string
	stop       func() // lets a second interrupt end the process at once
}

func newRun(stop func()) *cobra.Command {
	f := &runFlags{stop: stop}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run a WebSocket API from a CloudFormation or SAM template on this machine",
		Long: `Run a WebSocket API from a CloudFormation or SAM template on this machine, as it is: its
routes, its functions in Go, Node.js and Python, its tables. Without -t it takes
.aws-sam/build/template.yaml, template.yaml, or what CDK or the Serverless Framework have made.
It has nothing to do with the chat.`,
		Example: `  confab run
  confab run -t template.yaml --watch
  confab run --dynamodb http://127.0.0.1:8000 --parameter Stage=test
  confab run --inspect SendMessageFn=9229
  confab run --port 0 --exec 'npm test'`,
		Args: arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *runFlags) define(cmd *cobra.Command) {
	s, c := cmd.Flags(), &f.config
	s.StringVarP(&c.Stack.Template, "template", "t", "", "the template's file")
	s.StringArrayVar(&f.parameters, "parameter", nil,
		"a parameter of the template, as `NAME=VALUE`; repeatable")
	s.StringVar(&c.Stack.StackName, "stack-name", "",
		"name of the stack (default samconfig's, else the folder's)")
	s.StringVar(&c.Stack.Region, "region", "",
		"region that the stack thinks it is in (default samconfig's, else us-east-1)")
	s.StringVar(&c.Stack.ConfigEnv, "config-env", "",
		"environment in samconfig.toml (default \"default\")")
	s.IntVar(&c.Port, "port", 3001,
		"port of the first API on 127.0.0.1, the next ones follow; 0: any free one")
	s.StringVar(&c.EnvVars, "env-vars", "",
		"JSON file with variables of functions, as for sam local")
	s.StringVar(&c.Tables.URL, "dynamodb", "",
		"URL of a DynamoDB engine for the tables (default: DynamoDB Local is started)")
	s.BoolVar(&c.Tables.Fetch, "fetch-dynamodb", false,
		"fetch DynamoDB Local without asking, where it is not here")
	s.StringVar(&f.emulator, "aws-endpoint", "",
		"URL of an emulator for calls of AWS services that are not here")
	s.BoolVar(&c.AllowAWS, "allow-aws", false,
		"let calls of AWS services that are not here out to AWS")
	s.BoolVar(&f.watch, "watch", false, "load template and code anew when they change")
	s.StringArrayVar(&f.inspect, "inspect", nil,
		"have a function wait for a debugger, as `FUNCTION=PORT`; repeatable")
	s.BoolVar(&c.Freeze, "freeze", false, "stop functions between events, as AWS does")
	s.StringVar(&c.Node, "node", "", "program that runs Node.js functions (default node)")
	s.StringVar(&c.Python, "python", "", "program that runs Python functions (default python3)")
	s.StringVar(&f.exec, "exec", "",
		"run a command with the URL in CONFAB_WS_URL, then stop with its exit code")
}

// commandFailed is the exit code of a command that was run for somebody: nothing is to be said of
// it.
type commandFailed int

// Error says the code.
func (e commandFailed) Error() string { return "exit code " + strconv.Itoa(int(e)) }

// run runs until the context or the command ends.
func (f *runFlags) run(cmd *cobra.Command) error {
	if err := f.check(); err != nil {
		return err
	}
	f.config.Out = cmd.OutOrStdout()
	if f.exec != "" { // whose own output is the one that counts
		f.config.Out = cmd.ErrOrStderr()
	}
	f.config.Tables.Out, f.config.Await = f.config.Out, f.watch
	if isTerminal(cmd.OutOrStdout()) {
		f.config.Tables.Ask = func(question string) bool { return yes(cmd, question) }
	}
	ctx := cmd.Context()
	runner, err := rehearsal.Start(ctx, f.config)
	if errors.Is(err, stack.ErrTemplate) {
		return errors.New("the template cannot be run: see above")
	}
	if err != nil {
		return err
	}
	answering := f.answer(cmd, runner)
	err = f.during(ctx, runner)
	f.stop()
	return errors.Join(err, answering.Close(), runner.Close())
}

// during runs the command, or waits until somebody stops this.
func (f *runFlags) during(ctx context.Context, runner *rehearsal.Runner) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if f.watch {
			runner.Watch(ctx)
		}
	}()
	var err error
	if f.exec == "" {
		<-ctx.Done()
	} else {
		var code int
		if code, err = runner.Exec(ctx, f.exec); err == nil && code != 0 {
			err = commandFailed(code)
		}
	}
	cancel()
	<-watched
	return err
}

// answer lets confab why ask. Without it everything else works.
func (f *runFlags) answer(cmd *cobra.Command, runner *rehearsal.Runner) *http.Server {
	folder, err := rehearsal.Folder()
	if err == nil {
		var server *http.Server
		if server, err = runner.Answer(folder); err == nil {
			return server
		}
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "confab why will not find this:", err)
	return &http.Server{}
}

// check reads what flags have in a form of their own.
func (f *runFlags) check() error {
	f.config.Stack.Parameters = map[string]string{}
	for _, p := range f.parameters {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return usageError{fmt.Errorf("--parameter %q: want NAME=VALUE", p)}
		}
		f.config.Stack.Parameters[name] = value
	}
	f.config.Inspect = map[string]int{}
	for _, p := range f.inspect {
		name, text, _ := strings.Cut(p, "=")
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 || name == "" {
			return usageError{fmt.Errorf("--inspect %q: want FUNCTION=PORT", p)}
		}
		f.config.Inspect[name] = int(port)
	}
	if f.config.Port < 0 || f.config.Port > 65535 {
		return usageError{fmt.Errorf("--port %d: want 0 to 65535", f.config.Port)}
	}
	if f.emulator != "" && f.config.AllowAWS {
		return usageError{errors.New("--aws-endpoint and --allow-aws: want one of them")}
	}
	var err error
	if f.config.Emulator, err = httpURL("--aws-endpoint", f.emulator); err != nil {
		return err
	}
	_, err = httpURL("--dynamodb", f.config.Tables.URL)
	return err
}

// httpURL reads the URL of a flag; nil for "".
func httpURL(flag, text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		const want = "%s %q: want a URL, as http://127.0.0.1:8000"
		return nil, usageError{fmt.Errorf(want, flag, text)}
	}
	return u, nil
}

// yes asks a person.
func yes(cmd *cobra.Command, question string) bool {
	fmt.Fprintf(cmd.OutOrStdout(), "%s [y/N] ", question)
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		return false
	}
	line = strings.ToLower(strings.TrimSpace(line))
	return line == "y" || line == "yes"
}

// newWhy explains a request of a running confab run.
func newWhy() *cobra.Command {
	return &cobra.Command{
		Use:   "why REQUEST_ID",
		Short: "Show what became of a request in confab run",
		Long: `Show what became of a request in a confab run that runs: its route, what the authorizer has
found, what the functions wrote, each push and its result. The id is at the beginning of each line
that confab run prints, and in the error frames that clients get; Lambda's own request ids do as
well. The first characters are enough.`,
		Example:            `  confab why LMx3pE1nIAMEuWQ=`,
		DisableFlagParsing: true, // ids may begin with -
		RunE: func(cmd *cobra.Command, args []string) error {
			args = slices.DeleteFunc(args, func(a string) bool { return a == "--" })
			if err := arguments(1, 1, "the REQUEST_ID")(cmd, args); err != nil {
				return err
			}
			if args[0] == "--help" || args[0] == "-h" {
				return cmd.Help()
			}
			folder, err := rehearsal.Folder()
			if err != nil {
				return err
			}
			report, err := rehearsal.Why(cmd.Context(), folder, args[0])
			if err != nil {
				return err
			}
			fmt.Fprint(cmd.OutOrStdout(), report)
			return nil
		},
	}
}
