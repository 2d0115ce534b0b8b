package stack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// echo is a project whose function counts its events in its process's memory.
const echo = `
-- template.yaml --
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: app.handler, CodeUri: src}
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      StageName: live
      Routes:
        one: {FunctionArn: !GetAtt Fn.Arn, RouteResponseSelectionExpression: $default}
  Reply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiOneRoute, RouteResponseKey: $default}
-- src/app.js --
let n = 0;
exports.handler = async (event) => ({ statusCode: 200, body: event.requestContext.routeKey + " A" + ++n });
`

// change replaces text in a file of a project.
func change(t *testing.T, dir, name, old, replacement string) {
	t.Helper()
	file := filepath.Join(dir, name)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", name, old)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(data, []byte(old), []byte(replacement)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// update loads a project again and puts it in place.
func update(t *testing.T, d *stack.Deployment, dir string) {
	t.Helper()
	s, _ := load(t, stack.Options{Dir: dir})
	if err := d.Update(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// TestDeployment_Update changes routes, code and stages under an open connection.
func TestDeployment_Update(t *testing.T) {
	t.Parallel()
	dir := files(t, txtar.Parse([]byte(echo)))
	s, _ := load(t, stack.Options{Dir: dir})
	h := host(t)
	d, url := deploy(t, s, stack.Target{Host: h})
	c, _ := dial(t, url+"/live")
	expect := func(message, want string) {
		t.Helper()
		if got := ask(t, c, message); !strings.Contains(got, want) {
			t.Errorf("%s is answered %s, want %s", message, got, want)
		}
	}
	expect(`{"action":"one"}`, "one A1")
	expect(`{"action":"two"}`, `"message": "Forbidden"`)

	change(t, dir, "template.yaml", "        one: {", "        two: {FunctionArn: !GetAtt Fn.Arn,"+
		" RouteResponseSelectionExpression: $default}\n        one: {")
	change(t, dir, "template.yaml", "  Reply:", "  Two:\n    Type: AWS::ApiGatewayV2::RouteResponse\n"+
		"    Properties: {ApiId: !Ref Api, RouteId: !Ref ApitwoRoute, RouteResponseKey: $default}\n  Reply:")
	update(t, d, dir)
	expect(`{"action":"two"}`, "two A2") // the function is as it was, and so is its process

	change(t, dir, "src/app.js", `" A"`, `" changed "`)
	update(t, d, dir)
	expect(`{"action":"one"}`, "one changed 1")

	change(t, dir, "template.yaml", "StageName: live", "StageName: other")
	update(t, d, dir)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("a connection to a stage that is gone ends with %v", err)
	}
	if _, status := dial(t, url+"/live"); status != http.StatusForbidden {
		t.Errorf("the stage that is gone is answered %d", status)
	}
	c, _ = dial(t, url+"/other")
	expect(`{"action":"one"}`, "one changed ")

	change(t, dir, "template.yaml", "Handler: app.handler", "Handler: app.handler, FunctionName: renamed")
	update(t, d, dir)
	expect(`{"action":"one"}`, "one changed 1")
	if left := h.Functions(); len(left) != 1 || left[0].Name != "renamed" {
		t.Errorf("the functions are %v", left)
	}
	if len(d.Stack().Functions) != 1 || d.API("Api") == nil || d.API(s.APIs[0].ID) != d.API("Api") {
		t.Errorf("the stack is %+v", d.Stack())
	}
}

// TestDeployment_Target hands the hooks of a target what they are for.
func TestDeployment_Target(t *testing.T) {
	t.Parallel()
	s, _ := load(t, stack.Options{Dir: project(t, "raw")})
	h := host(t)
	var mu sync.Mutex
	var calls []string
	var access bytes.Buffer
	_, url := deploy(t, s, stack.Target{
		Host: h,
		Prepare: func(f *stack.Function, deployed *lambdahost.Function) {
			if f.LogicalID == "Notes" {
				deployed.Env["TABLE"] = "prepared"
			}
		},
		Configure: func(api *stack.API, config *gateway.Config) { config.DomainName = api.LogicalID + ".example" },
		AccessLog: func(*stack.API, *stack.Stage) io.Writer { return &access },
		Invoke: func(ctx context.Context, c stack.Call, in lambdahost.Input) (lambdahost.Output, error) {
			mu.Lock()
			defer mu.Unlock()
			if c.RequestID == "" || c.ConnectionID == "" || !bytes.Contains(in.Payload, []byte(`"domainName":"Api.example"`)) {
				t.Errorf("the call is %+v of %s", c, in.Payload)
			}
			calls = append(calls, c.Route.Key+" "+map[bool]string{true: "authorizer "}[c.Authorizer]+in.Function)
			return h.Invoke(ctx, in)
		},
	})
	c, _ := dial(t, url+"/dev?token=open")
	if got := ask(t, c, `{"action":"note"}`); !strings.Contains(got, `"table":"prepared"`) {
		t.Errorf("note is answered %s", got)
	}
	mu.Lock()
	defer mu.Unlock()
	want := "$connect authorizer notes-Door, $connect notes-Notes, note notes-Notes"
	if got := strings.Join(calls, ", "); got != want {
		t.Errorf("calls are %s, want %s", got, want)
	}
	if s.Function("Notes").Lambda.Env["TABLE"] != "board-dev" {
		t.Error("Prepare has changed the stack")
	}
}

// TestDeployment_AccessLog writes the stage's access log, a line for each event, with - for what has
// no value (GW-100 in package gateway).
func TestDeployment_AccessLog(t *testing.T) {
	t.Parallel()
	s, _ := load(t, stack.Options{Dir: project(t, "raw")})
	logged := make(lineWriter, 10)
	_, url := deploy(t, s, stack.Target{AccessLog: func(*stack.API, *stack.Stage) io.Writer { return logged }})
	c, _ := dial(t, url+"/dev?token=open")
	ask(t, c, `{"action":"note"}`)
	for _, want := range []string{" $connect 200\n", " note 200\n"} {
		select {
		case line := <-logged:
			if !strings.HasSuffix(line, want) {
				t.Errorf("got the line %q, want …%q", line, want)
			}
		case <-time.After(patience):
			t.Fatalf("there is no line …%q", want)
		}
	}
}

// lineWriter is a log as a channel.
type lineWriter chan string

func (w lineWriter) Write(p []byte) (int, error) {
	w <- string(p)
	return len(p), nil
}

// several has two APIs, the second with two stages, whose routes call by stage variable.
const several = `
-- template.yaml --
Resources:
  First:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      StageName: live
      Routes: {$default: {FunctionArn: !GetAtt A.Arn, RouteResponseSelectionExpression: $default}}
  FirstReply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref First, RouteId: !Ref FirstdefaultRoute, RouteResponseKey: $default}
  Second:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: two, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Second
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/arn:aws:lambda:${AWS::Region}:${AWS::AccountId}:function:${!stageVariables.fn}/invocations
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Second, RouteKey: $default, RouteResponseSelectionExpression: $default, Target: !Sub 'integrations/${Integration}'}
  Reply:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Second, RouteId: !Ref Route, RouteResponseKey: $default}
  Blue:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Second, StageName: blue, AutoDeploy: true, StageVariables: {fn: !Ref A}}
  Live:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Second, StageName: live, AutoDeploy: true, StageVariables: {fn: !Ref B}}
  A:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: index.handler, InlineCode: "exports.handler = async () => ({ statusCode: 200, body: 'A' })"}
  B:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: index.handler, InlineCode: "exports.handler = async () => ({ statusCode: 200, body: 'B' })"}
  May:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref A, Principal: apigateway.amazonaws.com}
  MayToo:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref B, Principal: apigateway.amazonaws.com}
`

// TestDeployment_Several serves two APIs: by the host's name, else by the stage.
func TestDeployment_Several(t *testing.T) {
	t.Parallel()
	s, diagnostics := load(t, stack.Options{Dir: files(t, txtar.Parse([]byte(several)))})
	for _, d := range diagnostics {
		if d.Severity > stack.Info {
			t.Errorf("unexpected: %s", d)
		}
	}
	_, url := deploy(t, s, stack.Target{})
	second := ""
	for _, api := range s.APIs {
		if api.LogicalID == "Second" {
			second = api.ID
		}
	}
	for _, c := range []struct{ host, stage, want string }{
		{"", "blue", "A"},
		{second + ".localhost:1", "blue", "A"},
		{second + ".execute-api.us-east-1.amazonaws.com", "live", "B"},
		{"unknown.example", "blue", "A"},
	} {
		conn, status := dialWith(t, url+"/"+c.stage, c.host, "")
		if status != http.StatusSwitchingProtocols {
			t.Errorf("%s/%s is answered %d", c.host, c.stage, status)
			continue
		}
		if got := ask(t, conn, "x"); got != c.want {
			t.Errorf("%s/%s is answered by %s, want %s", c.host, c.stage, got, c.want)
		}
	}
	if _, status := dial(t, url+"/none"); status != http.StatusForbidden {
		t.Errorf("an unknown stage is answered %d", status)
	}
}

// TestStack_DeployTables makes tables with their indexes and expiry, and keeps those that are there.
func TestStack_DeployTables(t *testing.T) {
	t.Parallel()
	endpoint := dynamolocal.Start(t)
	db := dynamolocal.Client(endpoint)
	env := "t" + strconv.FormatInt(time.Now().UnixNano(), 36)
	dir := project(t, "raw")
	change(t, dir, "template.yaml", "AllowedValues: [dev, prod]", "AllowedPattern: '.*'")
	change(t, dir, "template.yaml", "dev: {memory: 256}", env+": {memory: 256}")
	o := stack.Options{Dir: dir, Parameters: map[string]string{"Env": env}}
	s, _ := load(t, o)
	name := aws.String("board-" + env)
	t.Cleanup(func() { db.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: name}) })
	d, _ := deploy(t, s, stack.Target{DynamoDB: endpoint})

	table, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
	if err != nil {
		t.Fatal(err)
	}
	if index := table.Table.GlobalSecondaryIndexes; len(index) != 1 || *index[0].IndexName != "byTime" || len(index[0].KeySchema) != 2 {
		t.Errorf("indexes are %+v", index)
	}
	ttl, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: name})
	if err != nil || aws.ToString(ttl.TimeToLiveDescription.AttributeName) != "expires" {
		t.Errorf("expiry is %+v, %v", ttl, err)
	}
	item := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "kept"}}
	if _, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: name, Item: item}); err != nil {
		t.Fatal(err)
	}
	again, _ := load(t, o)
	if err := d.Update(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	kept, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: name, Key: item})
	if err != nil || kept.Item == nil {
		t.Errorf("what the table held is %v, %v", kept, err)
	}

	change(t, dir, "template.yaml", "IndexName: byTime", "IndexName: other")
	other, _ := load(t, o)
	if err := d.Update(t.Context(), other); err == nil || !strings.Contains(err.Error(), "it is there without the index other") {
		t.Errorf("Update with another index: %v", err)
	}
	change(t, dir, "template.yaml", "AttributeName: pk", "AttributeName: id")
	another, _ := load(t, o)
	if err := d.Update(t.Context(), another); err == nil || !strings.Contains(err.Error(), "it is there with another key") {
		t.Errorf("Update with another key: %v", err)
	}
	if d.Stack() != again {
		t.Error("an update that failed has taken the place of the stack")
	}
}

// TestStack_DeployFails says which function cannot be deployed.
func TestStack_DeployFails(t *testing.T) {
	t.Parallel()
	dir := files(t, txtar.Parse([]byte(echo)))
	change(t, dir, "template.yaml", "CodeUri: src}", "CodeUri: src, Environment: {Variables: {AWS_REGION: x}}}")
	s, _ := load(t, stack.Options{Dir: dir})
	_, err := s.Deploy(t.Context(), stack.Target{Host: host(t)})
	if err == nil || !strings.Contains(err.Error(), "Fn: ") || !strings.Contains(err.Error(), "AWS_REGION is reserved") {
		t.Errorf("Deploy: %v", err)
	}
	if errors.Is(err, stack.ErrTemplate) {
		t.Error("it is no mistake of the template")
	}
}

// TestDeployment_Admission asks SAM's authorizer, an API key and a signature before anybody comes in.
func TestDeployment_Admission(t *testing.T) {
	t.Parallel()
	const door = "  Door:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: nodejs22.x\n" +
		"      Handler: index.handler\n      InlineCode: |\n        exports.handler = async (e) => ({ principalId: 'p', policyDocument: { Statement:\n" +
		"          [{ Action: '*', Resource: '*', Effect: e.headers.Auth === 'yes' ? 'Allow' : 'Deny' }] } });\n"
	for name, c := range map[string]struct {
		old, replacement string
		headers          map[string]int // the status by the header that is sent
	}{
		"authorizer": {
			"      StageName: live\n", "      StageName: live\n      Auth:\n        AuthType: CUSTOM\n" +
				"        AuthArn: !GetAtt Door.Arn\n        IdentitySource: [route.request.header.Auth]\n",
			map[string]int{"": 401, "Auth: no": 403, "Auth: yes": 101},
		},
		"key": {
			"one: {FunctionArn", "$connect: {FunctionArn: !GetAtt Fn.Arn, ApiKeyRequired: true}\n        one: {FunctionArn",
			map[string]int{"": 403, "x-api-key: 0123456789": 101, "x-api-key: 012345678": 403},
		},
		"signature": {
			"      StageName: live\n", "      StageName: live\n      Auth: {AuthType: AWS_IAM}\n", map[string]int{"": 403},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, txtar.Parse([]byte(echo)))
			change(t, dir, "template.yaml", c.old, c.replacement)
			if name != "key" {
				change(t, dir, "template.yaml", "        one:", "        $connect: {FunctionArn: !GetAtt Fn.Arn}\n        one:")
			}
			change(t, dir, "template.yaml", "  Reply:\n", "  Key:\n    Type: AWS::ApiGateway::ApiKey\n    Properties: {Value: '0123456789'}\n"+door+"  Reply:\n")
			s, _ := load(t, stack.Options{Dir: dir})
			_, url := deploy(t, s, stack.Target{})
			for header, want := range c.headers {
				if _, got := dialWith(t, url+"/live", "", header); got != want {
					t.Errorf("with %q it is answered %d, want %d", header, got, want)
				}
			}
		})
	}
}

// TestDeployment_Throttle limits a route as RouteSettings say, and the others as the stage does.
func TestDeployment_Throttle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, replacement, limited, free string }{
		"route": {"note: {ThrottlingRateLimit: 5, ThrottlingBurstLimit: 7}", "note: {ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1}", `{"action":"note"}`, `x`},
		"stage": {"ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100", "ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1", `x`, `{"action":"note"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, "raw")
			change(t, dir, "template.yaml", c.old, c.replacement)
			s, _ := load(t, stack.Options{Dir: dir})
			_, url := deploy(t, s, stack.Target{})
			conn, _ := dial(t, url+"/dev?token=open")
			const limit = "Too Many Requests"
			for i, want := range []bool{false, true} {
				if got := ask(t, conn, c.limited); strings.Contains(got, limit) != want {
					t.Errorf("message %d to the limited route is answered %s", i+1, got)
				}
				if got := ask(t, conn, c.free); strings.Contains(got, limit) {
					t.Errorf("message %d to the other route is answered %s", i+1, got)
				}
			}
		})
	}
}
