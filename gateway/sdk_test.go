package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/tools"
)

func sum(body []byte) string {
	s := sha256.Sum256(body)
	return hex.EncodeToString(s[:])
}

// sdk is the AWS SDK for Go, as a Lambda function uses it.
func (r *rig) sdk() *apigatewaymanagementapi.Client {
	endpoint := r.endpoint()
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		BaseEndpoint: &endpoint, Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}, nil
		}),
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
}

// script runs testdata's program of one SDK against an open and a closed connection, and gives what
// it says of each call.
func (r *rig) script(t *testing.T, open, closed, secret string, argv ...string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], open, closed)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+testKey, "AWS_SECRET_ACCESS_KEY="+secret,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI="+r.endpoint())
	if strings.HasSuffix(argv[0], "node") {
		cmd.Env = append(cmd.Env, "NODE_PATH="+tools.Path(t, "node/node_modules"))
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, stderr.String())
	}
	var said map[string]string
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return said
}

// sdks are the programs of the SDKs that are not Go's.
func sdks(t *testing.T) map[string][]string {
	tools.Path(t, "node/node_modules/@aws-sdk/client-apigatewaymanagementapi")
	return map[string][]string{
		"javascript": {tools.Program(t, "node"), "testdata/sdk.cjs"},
		"python":     {tools.Path(t, "python/bin/python3"), "testdata/sdk.py"},
	}
}

// GW-77, GW-88 and GW-90: unmodified SDKs of three languages, which find the gateway by the
// environment alone, are accepted and see the errors that AWS would show them.
func TestGW77_GW88_SDKsAreAccepted(t *testing.T) {
	for name, argv := range sdks(t) {
		t.Run(name, func(t *testing.T) {
			r := managed(t, Config{})
			closed := closedID(t, r)
			c := r.dial(t)
			id := r.onlyID(t)
			got := r.script(t, id, closed, testSecret, argv...)
			want := map[string]string{
				"get": "127.0.0.1", "post": "ok", "gone": "GoneException",
				"invalid": "BadRequestException", "delete": "ok",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			c.expect("from the SDK: é")
			c.closed(1000, "Connection Closed Normally")
		})
	}
	t.Run("go", func(t *testing.T) {
		r := managed(t, Config{})
		c := r.dial(t)
		postBySDK(t, r.sdk(), r.onlyID(t))
		c.expect("x")
	})
}

func postBySDK(t *testing.T, client *apigatewaymanagementapi.Client, id string) {
	t.Helper()
	_, err := client.PostToConnection(context.Background(),
		&apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
}

// environment tells the AWS SDK for Go of AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI, as its module
// config does: that module is not needed here for anything else.
type environment struct{}

func (environment) GetServiceBaseEndpoint(_ context.Context, service string) (string, bool, error) {
	name := "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.ReplaceAll(service, " ", "_"))
	endpoint, ok := os.LookupEnv(name)
	return endpoint, ok, nil
}

// A handler in Go finds the gateway by the environment alone; those in JavaScript and Python do in
// TestGW77_GW88_SDKsAreAccepted.
func TestGW90_EndpointFromTheEnvironment(t *testing.T) {
	var client *apigatewaymanagementapi.Client
	r := managed(t, Config{Routes: map[string]Route{"$default": {Handler: HandlerFunc(
		func(_ context.Context, e event) (reply, error) {
			postBySDK(t, client, e.RequestContext.ConnectionID)
			return reply{StatusCode: 200}, nil
		})}}})
	t.Setenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", r.endpoint())
	client = apigatewaymanagementapi.NewFromConfig(aws.Config{
		Region: "us-east-1", ConfigSources: []any{environment{}},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}, nil
		}),
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	c := r.dial(t)
	c.send("post to me")
	c.expect("x")
}

func TestGW88_WrongSecretsAreRefused(t *testing.T) {
	for name, argv := range sdks(t) {
		t.Run(name, func(t *testing.T) {
			r := managed(t, Config{})
			closed := closedID(t, r)
			r.dial(t)
			got := r.script(t, r.onlyID(t), closed, "wrong", argv...)
			for _, call := range []string{"get", "post", "gone", "delete"} {
				if got[call] != "InvalidSignatureException" {
					t.Errorf("%s: %s, want InvalidSignatureException", call, got[call])
				}
			}
		})
	}
}

func TestGW88_SignatureIsStrict(t *testing.T) {
	r := managed(t, Config{})
	c := r.dial(t)
	id := r.onlyID(t)
	const signature = "InvalidSignatureException"
	body := []byte("signed")
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	resigned := func(key, secret string, at time.Time) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Authorization")
			sign(t, r, body, key, secret, at)
		}
	}
	replaced := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), from, to, 1))
		}
	}
	for name, test := range map[string]struct {
		kind   string
		change func(*http.Request)
	}{
		"unsigned":      {"MissingAuthenticationTokenException", unsigned},
		"other secret":  {signature, resigned(testKey, "x", time.Now())},
		"other key":     {"UnrecognizedClientException", resigned("AKIDOTHER", testSecret, time.Now())},
		"too old":       {signature, resigned(testKey, testSecret, time.Now().Add(-6*time.Minute))},
		"from tomorrow": {signature, resigned(testKey, testSecret, time.Now().Add(6*time.Minute))},
		"other service": {signature, replaced("/execute-api/", "/s3/")},
		"other region":  {signature, replaced("/us-east-1/", "/eu-west-1/")},
		"other day":     {"IncompleteSignatureException", replaced("/2", "/1")},
		"host unsigned": {"IncompleteSignatureException", replaced(";host", "")},
		"other method":  {signature, func(r *http.Request) { r.Method = "PUT" }},
		"other query":   {signature, func(r *http.Request) { r.URL.RawQuery = "a=b" }},
		"other header":  {signature, header("X-Amz-Date", time.Now().Add(time.Minute).UTC().Format(signTime))},
		"other hash":    {signature, header("X-Amz-Content-Sha256", sum([]byte("another")))},
		"unsigned body": {signature, header("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")},
		"no date":       {"IncompleteSignatureException", func(r *http.Request) { r.Header.Del("X-Amz-Date") }},
		"other scheme":  {"IncompleteSignatureException", header("Authorization", "Bearer x")},
		"short hex": {"IncompleteSignatureException", header("Authorization",
			"AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00")},
		"two signatures": {
			"IncompleteSignatureException",
			func(r *http.Request) { r.Header.Add("Authorization", "x") },
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := r.call(t, "POST", at(id), body, test.change)
			if got.status != 403 || got.kind != test.kind {
				t.Errorf("answer %d %s, want 403 %s", got.status, got.kind, test.kind)
			}
		})
	}
	tampered := r.call(t, "POST", at(id), body, func(r *http.Request) {
		r.Body = http.NoBody
		r.ContentLength = 0
	})
	if tampered.status != 403 {
		t.Errorf("another body under the same signature: %d", tampered.status)
	}
	want(t, r.call(t, "POST", at(id), body, nil), 200, "", "")
	c.expect("signed") // and nothing before it
}

// The example of "Signature Version 4 signing process" in the AWS General Reference: GET
// /?Param2=value2&Param1=value1 of example.amazonaws.com on 30 August 2015.
func TestAuthorization_sign(t *testing.T) {
	req, err := http.NewRequest(http.MethodGet,
		"http://example.amazonaws.com/?Param2=value2&Param1=value1", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Date", "20150830T123600Z")
	auth := authorization{
		day: "20150830", region: "us-east-1", service: "service", date: "20150830T123600Z",
		signed: []string{"host", "x-amz-date"},
	}
	got := fmt.Sprintf("%x", auth.sign(req, testSecret, sum(nil)))
	const want = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
	if got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}
