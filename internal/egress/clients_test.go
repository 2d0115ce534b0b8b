package egress_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/confab-chat/confab/internal/egress"
	"github.com/confab-chat/confab/internal/tools"
)

// childVariable makes the test binary a Go program behind the gate.
const childVariable = "EGRESS_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		calls()
		return
	}
	os.Exit(m.Run())
}

// calls is what calls.mjs and calls.py do, in Go.
func calls() {
	ctx := context.Background()
	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
	})
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", Credentials: credentials,
		BaseEndpoint: aws.String("https://abc123.execute-api.ap-southeast-1.amazonaws.com/production"),
	})
	_, err := client.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String("gone="), Data: []byte("x"),
	})
	var gone *types.GoneException
	fmt.Println("gone", errors.As(err, &gone))
	db := dynamodb.New(dynamodb.Options{Region: "us-east-1", Credentials: credentials})
	tables, err := db.ListTables(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("tables", strings.Join(tables.TableNames, ","))
	answer, err := http.Get("https://sqs.us-east-1.amazonaws.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	fmt.Println("http", answer.StatusCode)
}

// services are the two that the test's programs call: a WebSocket API whose connections are all gone,
// and a DynamoDB with one table.
var services = []egress.Service{
	{Hosts: egress.ExecuteAPI, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/production/@connections/gone%3D" || r.Method != http.MethodPost {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("X-Amzn-Errortype", "GoneException")
		w.WriteHeader(http.StatusGone)
	})},
	{Hosts: egress.DynamoDB, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"TableNames":["Rooms"]}`)
	})},
}

// open opens a gate until the test ends.
func open(t *testing.T, cfg egress.Config) *egress.Gate {
	t.Helper()
	cfg.Dir = t.TempDir()
	gate, err := egress.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gate.Close(); err != nil {
			t.Error(err)
		}
	})
	return gate
}

// sentence is how a refusal of the host begins.
const sentence = "sqs.us-east-1.amazonaws.com is not served here"

// Programs as they are, in each language, with nothing but variables between them and AWS.
func TestGate_clients(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		argv func(t *testing.T) []string
		want []string
	}{
		"JavaScript": {
			func(t *testing.T) []string {
				folder := t.TempDir() // the packages are found from where the script is
				modules := filepath.Join(folder, "node_modules")
				if err := os.Symlink(tools.Path(t, "node/node_modules"), modules); err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile("testdata/calls.mjs")
				if err != nil {
					t.Fatal(err)
				}
				script := filepath.Join(folder, "calls.mjs")
				if err := os.WriteFile(script, text, 0o600); err != nil {
					t.Fatal(err)
				}
				return []string{tools.Program(t, "node"), script}
			},
			[]string{"gone true", "tables Rooms", "fetch 400 " + sentence, "https 400"},
		},
		"Python": {
			func(t *testing.T) []string {
				return []string{tools.Path(t, "python/bin/python3"), "-B", "testdata/calls.py"}
			},
			[]string{
				"gone true", "tables Rooms", sentence, "sns.us-east-1.amazonaws.com is not served here",
				"s3.amazonaws.com is not served here", "urllib 400",
			},
		},
		"Go": {
			func(*testing.T) []string { return []string{os.Args[0]} },
			[]string{"gone true", "tables Rooms", "http 400"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate := open(t, egress.Config{Services: services})
			argv := test.argv(t)
			cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			cmd.Env = []string{
				"PATH=" + os.Getenv("PATH"), "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
				"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
				"AWS_EC2_METADATA_DISABLED=true", childVariable + "=1",
			}
			for name, value := range gate.Environment(name == "JavaScript") {
				cmd.Env = append(cmd.Env, name+"="+value)
			}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}
