package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/chatapi"
)

// credentials are the function's role's. Lambda ends an environment before they do.
func (s *settings) credentials() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: s.accessKey, SecretAccessKey: s.secretKey, SessionToken: s.sessionToken,
	}
}

// dynamodb makes the client by hand: the SDK's module config costs 2 MB and 5 ms of a cold start.
func (s *settings) dynamodb() *dynamodb.Client {
	o := dynamodb.Options{
		Region: s.region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return s.credentials(), nil
		}),
		HTTPClient: &http.Client{Transport: transport()},
	}
	if s.dynamodbURL != "" {
		o.BaseEndpoint = &s.dynamodbURL
	}
	return dynamodb.New(o)
}

// answerWait is how long DynamoDB and Lambda may take to answer. A function that was frozen may find its
// connections dead without a word; three attempts fit into the 25 s that deploy/template.yaml gives an event.
const answerWait = 8 * time.Second

// transport keeps as many connections as an event has requests under way.
func transport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	t.ResponseHeaderTimeout = answerWait
	return t
}

// How a task is handed over.
const (
	laterTries = 3
	laterPause = 100 * time.Millisecond // doubled with each attempt
)

// later is the Deferrer: an asynchronous invocation of this very function (Lambda API Reference,
// Invoke), which Lambda delivers at least once.
type later struct {
	settings
	url    string
	client *http.Client
	signer *v4.Signer
}

func newLater(s settings) *later {
	base := s.lambdaURL
	if base == "" {
		base = "https://lambda." + s.region + "." + domain(s.endpoint)
	}
	address := strings.TrimSuffix(base, "/") + "/2015-03-31/functions/" +
		url.PathEscape(s.function) + "/invocations"
	return &later{s, address, &http.Client{Transport: transport()}, v4.NewSigner()}
}

// domain is the partition's, as amazonaws.com.cn: that of the stage's own address.
func domain(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err == nil {
		if i := strings.Index(u.Hostname(), ".amazonaws."); i >= 0 {
			return u.Hostname()[i+1:]
		}
	}
	return "amazonaws.com"
}

// Later hands a task over. Its error says that the task may not run.
func (l *later) Later(ctx context.Context, t chatapi.Task) error {
	body, err := json.Marshal(t)
	if err != nil {
		return err
	}
	for try, pause := 1, laterPause; ; try, pause = try+1, 2*pause {
		again, err := l.invoke(ctx, body)
		if err == nil || !again || try == laterTries {
			return err
		}
		if err := chatapi.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// invoke tells, when it fails, whether another attempt may help.
func (l *later) invoke(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("X-Amz-Invocation-Type", "Event")
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if err := l.signer.SignHTTP(ctx, l.credentials(), r, hash, "lambda", l.region, time.Now()); err != nil {
		return false, err
	}
	response, err := l.client.Do(r)
	if err != nil {
		return true, err
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if response.StatusCode == http.StatusAccepted {
		return false, nil
	}
	again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500
	return again, fmt.Errorf("invoke %s: %s: %s", l.function, response.Status, text)
}
