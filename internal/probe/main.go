// Command probe compares a real WebSocket API on AWS with what package gateway does where nobody
// has looked: it prints each check with what was expected and what was observed. README.md says how
// to run it, template.yaml is the stack that it needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/confab-chat/confab/connections"
)

// Limits of API Gateway that some checks wait for.
const (
	idleTimeout = 10 * time.Minute
	maxDuration = 2 * time.Hour
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	p, err := configure(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(2)
	}
	code := p.run(ctx, os.Stdout)
	stop()
	os.Exit(code)
}

// prober is what the checks need.
type prober struct {
	url    *url.URL // of the stage: wss, or ws for a gateway on this machine
	client *connections.Client
	wait   time.Duration // checks that take longer are left out

	idle, duration time.Duration // what the API's limits are
	patience       time.Duration // for what should come at once
}

// configure reads the environment.
func configure(getenv func(string) string) (*prober, error) {
	p := &prober{idle: idleTimeout, duration: maxDuration, patience: 30 * time.Second}
	var err error
	if p.url, err = url.Parse(getenv("PROBE_URL")); err != nil {
		return nil, fmt.Errorf("PROBE_URL: %w", err)
	}
	scheme := map[string]string{"wss": "https", "ws": "http"}[p.url.Scheme]
	if scheme == "" || p.url.Host == "" {
		return nil, errors.New("PROBE_URL: want wss://ID.execute-api.REGION.amazonaws.com/STAGE")
	}
	p.wait = 2 * time.Minute
	if text := getenv("PROBE_WAIT"); text != "" {
		if p.wait, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("PROBE_WAIT: %w", err)
		}
	}
	endpoint := *p.url
	endpoint.Scheme, endpoint.Path = scheme, strings.TrimSuffix(p.url.Path, "/")
	p.client, err = connections.New(connections.Config{
		Endpoint: endpoint.String(), Region: getenv("AWS_REGION"),
		AccessKey: getenv("AWS_ACCESS_KEY_ID"), SecretKey: getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: getenv("AWS_SESSION_TOKEN"),
	})
	return p, err
}

// run makes all checks at once, prints them in order and gives the exit code: 0 when all that ran
// was as expected, 1 when something was not.
func (p *prober) run(ctx context.Context, out io.Writer) (code int) {
	type observation struct {
		text string
		err  error
	}
	list := checks(p)
	results := make([]chan observation, len(list))
	for i, c := range list {
		results[i] = make(chan observation, 1)
		if c.takes > p.wait {
			continue
		}
		go func() {
			text, err := c.observe(ctx, p)
			results[i] <- observation{text, err}
		}()
	}
	var same, different, left int
	for i, c := range list {
		if c.takes > p.wait {
			left++
			fmt.Fprintf(out, "not run  %s: %s (takes %v)\n", c.name, c.question, c.takes)
			continue
		}
		o := <-results[i]
		if o.err != nil {
			o.text = "error: " + o.err.Error()
		}
		if o.text == c.expected {
			same++
			fmt.Fprintf(out, "same     %s: %s\n         %s\n", c.name, c.question, o.text)
			continue
		}
		different, code = different+1, 1
		fmt.Fprintf(out, "DIFFERS  %s: %s\n         expected %s\n         observed %s\n",
			c.name, c.question, c.expected, o.text)
	}
	fmt.Fprintf(out, "%d same, %d different, %d not run\n", same, different, left)
	return code
}
