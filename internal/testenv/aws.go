package testenv

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/dynamostore"
)

// The variables that make a stage which is deployed one more host, see deploy/README.md: the outputs Url,
// Function and TableName of its stack. Credentials, region and other addresses than AWS's own come from
// the variables that AWS's clients read.
const (
	stageURL      = "CONFAB_AWS_URL"
	stageFunction = "CONFAB_AWS_FUNCTION"
	stageTable    = "CONFAB_AWS_TABLE"
)

// HasStage tells whether the environment names a stage that is deployed.
func HasStage() bool { return os.Getenv(stageURL) != "" }

// hasStage tells whether there is a stage for a test with these options: it is as it was deployed, by the
// template's defaults, and one for all.
func (o Options) hasStage() bool {
	return HasStage() && !o.Own && o.Dialect == "" && o.Rate == 0 && o.Log == nil &&
		o.AllowedOrigins == nil && o.Now == nil
}

// stage is held by the test that uses the stage: others would be heard in the lobby.
var stage sync.Mutex

// startStage gives the test the stage, under names that nobody has had there before.
func startStage(tb testing.TB, e *Env) {
	tb.Helper()
	stage.Lock()
	e.URLs, e.ResumeMax = []string{os.Getenv(stageURL)}, coldResumeMax
	e.names = &names{suffix: "-" + unique()}
	using.Store(e.names)
	e.stop = append(e.stop, func() {
		using.Store(nil)
		stage.Unlock()
	})
	e.Endpoint = "http" + strings.TrimPrefix(e.URLs[0], "ws")
	e.Invoke = func(payload []byte) ([]byte, error) {
		return invoke(tb.Context(), os.Getenv(stageFunction), payload)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	tb.Cleanup(transport.CloseIdleConnections)
	s := dynamostore.New(dynamodb.New(dynamodb.Options{
		Region: os.Getenv("AWS_REGION"), BaseEndpoint: optional(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")),
		HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials(), nil
		}),
	}), dynamostore.Options{Table: os.Getenv(stageTable), Lease: lease, SilentLease: silentLease})
	e.Log, e.Connections = s, s
	awaitVacant(tb, s)
}

// awaitVacant waits until nobody is connected any more: who came with the test before would be counted,
// and has to be seen going. Where somebody stays the test says what that breaks.
func awaitVacant(tb testing.TB, connections chat.Connections) {
	tb.Helper()
	lobby := chat.Head{Room: chat.Lobby, Kind: chat.LobbyRoom}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		vacant := true
		for _, err := range connections.Receivers(tb.Context(), lobby) {
			if err != nil {
				tb.Fatal(err)
			}
			vacant = false
		}
		if vacant {
			return
		}
	}
	tb.Log("somebody else is connected to the stage")
}

// credentials are those of the environment.
func credentials() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// invoke calls a function by Lambda's API (API Reference, Invoke).
func invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	region := os.Getenv("AWS_REGION")
	base := os.Getenv("AWS_ENDPOINT_URL_LAMBDA")
	if base == "" { // in the stage's own partition
		_, domain, _ := strings.Cut(os.Getenv(stageURL), ".execute-api.")
		domain, _, _ = strings.Cut(domain, "/")
		base = "https://lambda." + domain
	}
	address := base + "/2015-03-31/functions/" + url.PathEscape(function) + "/invocations"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(payload)
	hash := hex.EncodeToString(sum[:])
	err = v4.NewSigner().SignHTTP(ctx, credentials(), r, hash, "lambda", region, time.Now())
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("invoke %s: %s: %s", function, response.Status, answer)
	}
	return answer, err
}
