package connections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Budget is how long a post may take with all its retries; what has not been reached is unsent.
const Budget = 5 * time.Second

// answerWait is how long one try may take. A Lambda function that was frozen may find its connections dead
// without a word, and is to have time for another try within Budget.
const answerWait = 3 * time.Second

// defaultParallel is how many posts a client has under way when Config.Parallel is 0.
const defaultParallel = 32

// Config is how a Client reaches the @connections API.
type Config struct {
	// Endpoint is https://{api}.execute-api.{region}.amazonaws.com/{stage}, or the like of
	// another gateway. Targets without an endpoint are posted to here.
	Endpoint string
	Region   string // default "us-east-1"

	AccessKey, SecretKey, SessionToken string // as in the environment of a Lambda function

	HTTPClient *http.Client     // default NewHTTPClient(Parallel)
	Now        func() time.Time // of signatures; default time.Now
	Parallel   int              // posts under way at once; default 32
}

// Client calls the @connections API. Its methods may be called from several goroutines.
type Client struct {
	cfg    Config
	signer *v4.Signer
}

// New makes a client.
func New(cfg Config) (*Client, error) {
	if _, err := parseEndpoint(cfg.Endpoint); err != nil {
		return nil, err
	}
	if cfg.AccessKey == "" || cfg.SecretKey == "" {
		return nil, errors.New("connections: no credentials")
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = defaultParallel
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = NewHTTPClient(cfg.Parallel)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{cfg: cfg, signer: v4.NewSigner()}, nil
}

// NewHTTPClient gives a client that keeps as many connections to one host as there are posts under
// way, where net/http keeps two. 0 is the default of Config.Parallel.
func NewHTTPClient(parallel int) *http.Client {
	if parallel <= 0 {
		parallel = defaultParallel
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			MaxIdleConnsPerHost:   parallel,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   Budget,
			ResponseHeaderTimeout: answerWait,
			ForceAttemptHTTP2:     true,
			// HTTP/2 has one connection for all: another try would be made on it too.
			HTTP2: &http.HTTP2Config{SendPingTimeout: answerWait / 3, PingTimeout: answerWait / 3},
		},
		// A redirect is no answer of @connections, and its signature would not fit.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Post sends the frames, each a text message, in order to every target: the first target before all
// others, these in parallel. Failures that may pass (429, 5xx, a lost connection) are retried for
// [Budget] or 80 % of ctx's time, whichever ends first; a frame whose answer was lost can arrive
// twice. gone are the targets that are closed, unsent those that did not get every frame in time.
// An error means that something is wrong for all, as missing rights: then unsent are the rest. A
// frame over [MaxPayload] bytes is [ErrTooLarge] and nothing is sent.
func (c *Client) Post(ctx context.Context, to []Target, frames [][]byte) (
	gone, unsent []Target, err error,
) {
	for _, f := range frames {
		if len(f) > MaxPayload {
			return nil, nil, ErrTooLarge
		}
	}
	if len(to) == 0 || len(frames) == 0 {
		return nil, nil, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, budget(ctx), errBudget)
	defer cancel()
	p := &posts{results: make([]error, len(to))}
	p.run(ctx, c, to, frames, 0)
	if len(to) > 1 {
		p.parallel(ctx, c, to, frames)
	}
	for i, t := range to {
		switch result := p.results[i]; {
		case result == nil:
		case errors.Is(result, ErrGone):
			gone = append(gone, t)
		default:
			unsent = append(unsent, t)
		}
	}
	return gone, unsent, p.failed()
}

// Close closes a connection, or is [ErrGone]. AWS closes with 1000 whatever code and reason are.
func (c *Client) Close(ctx context.Context, t Target, code int, reason string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, budget(ctx), errBudget)
	defer cancel()
	_, err := c.call(ctx, http.MethodDelete, t, nil)
	return err
}

// Describe tells what is known of an open connection, or is [ErrGone].
func (c *Client) Describe(ctx context.Context, t Target) (Info, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, budget(ctx), errBudget)
	defer cancel()
	body, err := c.call(ctx, http.MethodGet, t, nil)
	if err != nil {
		return Info{}, err
	}
	var answer struct {
		ConnectedAt  time.Time `json:"connectedAt"`
		LastActiveAt time.Time `json:"lastActiveAt"`
		Identity     struct {
			SourceIP  string `json:"sourceIp"`
			UserAgent string `json:"userAgent"`
		} `json:"identity"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Info{}, fmt.Errorf("connections: describe %s: %w", t.ID, err)
	}
	return Info{
		ConnectedAt: answer.ConnectedAt, LastActiveAt: answer.LastActiveAt,
		SourceIP: answer.Identity.SourceIP, UserAgent: answer.Identity.UserAgent,
	}, nil
}

// posts is one Post under way: what became of each target.
type posts struct {
	results []error
	next    atomic.Int64 // the target that was taken last
	mu      sync.Mutex
	fatal   error // why none of the rest can work
}

// parallel posts to all targets but the first.
func (p *posts) parallel(ctx context.Context, c *Client, to []Target, frames [][]byte) {
	var workers sync.WaitGroup
	for range min(c.cfg.Parallel, len(to)-1) {
		workers.Go(func() {
			for {
				i := int(p.next.Add(1))
				if i >= len(to) {
					return
				}
				p.run(ctx, c, to, frames, i)
			}
		})
	}
	workers.Wait()
}

// run posts all frames to one target.
func (p *posts) run(ctx context.Context, c *Client, to []Target, frames [][]byte, i int) {
	if err := p.failed(); err != nil {
		p.results[i] = err
		return
	}
	for _, f := range frames {
		if _, err := c.call(ctx, http.MethodPost, to[i], f); err != nil {
			p.results[i] = err
			if !errors.Is(err, ErrGone) && !isTimeout(err) {
				p.fail(err)
			}
			return
		}
	}
}

func (p *posts) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fatal == nil {
		p.fatal = err
	}
}

func (p *posts) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fatal
}

// request makes the signed request for a target. The id's = is sent as %3D, as SDKs send it.
func (c *Client) request(ctx context.Context, method string, t Target, body []byte) (
	*http.Request, error,
) {
	endpoint := t.Endpoint
	if endpoint == "" {
		endpoint = c.cfg.Endpoint
	}
	u, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	stage := strings.TrimSuffix(u.EscapedPath(), "/")
	u.Path = strings.TrimSuffix(u.Path, "/") + "/@connections/" + t.ID
	u.RawPath = stage + "/@connections/" + strings.ReplaceAll(url.PathEscape(t.ID), "=", "%3D")
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bodyReader(body))
	if err != nil {
		return nil, fmt.Errorf("connections: %w", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	keys := aws.Credentials{
		AccessKeyID: c.cfg.AccessKey, SecretAccessKey: c.cfg.SecretKey,
		SessionToken: c.cfg.SessionToken,
	}
	err = c.signer.SignHTTP(ctx, keys, req, hashOf(body), "execute-api", c.cfg.Region, c.cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("connections: sign: %w", err)
	}
	return req, nil
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("connections: endpoint %q is no http or https URL", endpoint)
	}
	return u, nil
}

// answerLimit bounds what is read of an answer.
const answerLimit = 64 << 10

func readAnswer(r *http.Response) ([]byte, error) {
	defer r.Body.Close()
	return io.ReadAll(io.LimitReader(r.Body, answerLimit))
}
