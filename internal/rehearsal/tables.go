package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/internal/localdb"
)

// Tables says where the tables of a stack are made.
type Tables struct {
	// URL is that of an engine that runs; "": DynamoDB Local is started.
	URL string
	// Fetch lets DynamoDB Local be fetched. Else Ask is asked, where there is somebody to ask.
	Fetch bool
	Ask   func(question string) bool
	// Cache is the folder of DynamoDB Local; default: the user's cache folder.
	Cache string
	// Out is told what takes time.
	Out io.Writer
}

// answerTime is how long an engine may take to answer when it is first asked.
const answerTime = 30 * time.Second

// errNoEngine names the ways to tables.
const errNoEngine = `the template has %s, and there is no DynamoDB to make them in%s.
Either of these will do:

  confab run --dynamodb http://127.0.0.1:8000
      where an engine runs, as by: docker run -p 8000:8000 amazon/dynamodb-local
  confab run --fetch-dynamodb
      where Java and Maven are: fetches Amazon's DynamoDB Local %s once (%d MB)`

// engine is where tables are.
type engine struct {
	endpoint  string
	transport *http.Transport // to it
	client    *dynamodb.Client
	local     *localdb.Engine // started here; nil: somebody else's
}

// open finds or starts the engine, for so many tables.
func (t Tables) open(ctx context.Context, tables int) (*engine, error) {
	if t.URL != "" {
		e := newEngine(t.URL, nil)
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		one := int32(1)
		if _, err := e.client.ListTables(ctx, &dynamodb.ListTablesInput{Limit: &one}); err != nil {
			return nil, fmt.Errorf("--dynamodb %s: no DynamoDB answers there: %w", t.URL, err)
		}
		return e, nil
	}
	none := func(why string) error {
		wanted := count(tables, "table", "tables")
		return fmt.Errorf(errNoEngine, wanted, why, localdb.Version, localdb.Size)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, none(", nor Java to run one")
	}
	if t.Cache == "" {
		if t.Cache, err = localdb.Folder(); err != nil {
			return nil, err
		}
	}
	if err := localdb.Check(t.Cache); err != nil {
		if !localdb.Missing(err) {
			return nil, fmt.Errorf("%w: remove the folder, and run this again", err)
		}
		if err := t.fetch(ctx, none); err != nil {
			return nil, err
		}
	}
	local, err := localdb.Run(java, t.Cache)
	if err != nil {
		return nil, fmt.Errorf("start DynamoDB Local: %w", err)
	}
	return newEngine(local.Endpoint, local), nil
}

// fetch gets DynamoDB Local, if it may.
func (t Tables) fetch(ctx context.Context, none func(why string) error) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return none("; Java is here, but no Maven to fetch one")
	}
	question := fmt.Sprintf("Fetch Amazon's DynamoDB Local %s (%d MB, by Maven) into %s?",
		localdb.Version, localdb.Size, t.Cache)
	if !t.Fetch && (t.Ask == nil || !t.Ask(question)) {
		return none("")
	}
	if t.Out != nil {
		fmt.Fprintf(t.Out, "Fetching DynamoDB Local %s into %s, once.\n", localdb.Version, t.Cache)
	}
	if err := localdb.Fetch(ctx, mvn, t.Cache); err != nil {
		return fmt.Errorf("fetch DynamoDB Local: %w", err)
	}
	return nil
}

// newEngine makes an engine at a URL, with credentials that no engine looks at.
func newEngine(endpoint string, local *localdb.Engine) *engine {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client := dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", RetryMaxAttempts: 1,
		HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
	return &engine{endpoint, transport, client, local}
}

// proxy serves the engine under DynamoDB's own names.
func (e *engine) proxy() http.Handler {
	target, err := url.Parse(e.endpoint)
	if err != nil {
		return http.NotFoundHandler()
	}
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: e.transport,
		ErrorLog:  log.New(io.Discard, "", 0), // the function is told
	}
}

// close ends an engine that was started here.
func (e *engine) close() error {
	e.transport.CloseIdleConnections()
	if e.local == nil {
		return nil
	}
	return errors.Join(e.local.Close())
}
