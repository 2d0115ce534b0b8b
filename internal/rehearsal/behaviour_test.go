package rehearsal_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/sim"
)

// TestMain gives this process something that no function may see.
func TestMain(m *testing.M) {
	if err := os.Setenv("REHEARSAL_CANARY", "of the user"); err != nil {
		panic(err)
	}
	var err error
	if os.Stdin, err = os.Open(os.DevNull); err != nil { // a terminal tells commands of interrupts
		panic(err)
	}
	os.Exit(m.Run())
}

// workshop is an API with one function, in the file main.py, whose answer comes back to the client.
const workshop = `
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: workshop, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: test, AutoDeploy: true}
  Work:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: main.handler
      Code: code/
      Timeout: 20
      Role: arn:aws:iam::000000000000:role/test
      Environment:
        Variables:
          GREETING: hello
          AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI: https://elsewhere.example
          AWS_ENDPOINT_URL_DYNAMODB: https://elsewhere.example
          AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true"
          HTTPS_PROXY: http://elsewhere.example
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Work, Principal: apigateway.amazonaws.com}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Work.Arn}/invocations
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: work
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${Integration}
  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}
`

// work makes the workshop's project with a function.
func work(t *testing.T, code string) string {
	t.Helper()
	return write(t, t.TempDir(), map[string]string{"template.yaml": workshop, "code/main.py": code})
}

// answers is a function that gives what an expression is, as JSON.
func answers(expression string) string {
	return "import json, os\ndef handler(event, context):\n" +
		"    return {'statusCode': 200, 'body': json.dumps(" + expression + ")}\n"
}

// Functions have Lambda's variables, the template's and ours, and nothing of who runs them.
func TestRunner_environment(t *testing.T) {
	t.Parallel()
	dir := work(t, answers("dict(os.environ)"))
	write(t, dir, map[string]string{"vars.json": `{"Work":{"GREETING":"hej","MORE":"x"},"Parameters":{"GREETING":"hi"}}`})
	p := begin(t, dir, func(c *rehearsal.Config) { c.EnvVars = filepath.Join(dir, "vars.json") })
	c := p.dial("")
	c.send(`{"action":"work"}`)
	var env map[string]string
	if err := json.Unmarshal([]byte(c.next()), &env); err != nil {
		t.Fatal(err)
	}
	base := "http" + strings.TrimPrefix(p.url, "ws")
	for name, want := range map[string]string{
		"GREETING": "hej", "MORE": "", "REHEARSAL_CANARY": "", "AWS_REGION": "us-east-1", "AWS_PROFILE": "",
		"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI": base, "AWS_ENDPOINT_URL_DYNAMODB": dynamolocal.Start(t),
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
	} {
		if env[name] != want {
			t.Errorf("%s is %q, want %q", name, env[name], want)
		}
	}
	for name := range env {
		if own := os.Getenv(name); own != "" && own == env[name] && strings.Contains(own, os.Getenv("HOME")) &&
			os.Getenv("HOME") != "/" {
			t.Errorf("%s=%s leads to this user's files", name, own)
		}
	}
	if !strings.HasPrefix(env["HTTPS_PROXY"], "http://127.0.0.1:") {
		t.Errorf("the proxy is %s", env["HTTPS_PROXY"])
	}
	if key := env["AWS_ACCESS_KEY_ID"]; !strings.HasPrefix(key, "ASIA") || key == os.Getenv("AWS_ACCESS_KEY_ID") {
		t.Errorf("the access key is %q", key)
	}
	p.out.await(1, "MORE of --env-vars is not in the template's variables of Work")
}

// AWS hosts that nobody serves are refused with a sentence, or go to the emulator.
func TestRunner_egress(t *testing.T) {
	t.Parallel()
	const code = `
import boto3
def handler(event, context):
    try:
        return {"statusCode": 200, "body": boto3.client("sqs").list_queues()["QueueUrls"][0]}
    except Exception as error:
        return {"statusCode": 200, "body": str(error)}
`
	dir := work(t, code)
	p := begin(t, dir)
	c := p.dial("")
	c.send(`{"action":"work"}`)
	if got := c.next(); !strings.Contains(got, "sqs.us-east-1.amazonaws.com is not served here") {
		t.Errorf("answered %s", got)
	}
	id := strings.Fields(p.out.await(1, "Work was refused: sqs.us-east-1.amazonaws.com is not served here"))[1]
	p.events(1, "MESSAGE", "work")
	if report, _ := p.Journal().Find(id); !strings.Contains(report, "refused: sqs.us-east-1.amazonaws.com") {
		t.Errorf("why says:\n%s", report)
	}

	emulator := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"QueueUrls":["of `+r.Host+`"]}`)
	}))
	defer emulator.Close()
	to, err := url.Parse(emulator.URL)
	if err != nil {
		t.Fatal(err)
	}
	p = begin(t, dir, func(c *rehearsal.Config) { c.Emulator = to })
	c = p.dial("")
	c.send(`{"action":"work"}`)
	c.hears("of sqs.us-east-1.amazonaws.com")
}

// What fails is a line that says why, with the id that the client was told.
func TestRunner_failures(t *testing.T) {
	t.Parallel()
	p := begin(t, work(t, `
import json, os
def handler(event, context):
    print("about to fail \x1b[31m in red")
    if "exit" in event["body"]:
        os._exit(3)
    if "nothing" in event["body"]:
        return
    raise ValueError("that does not do")
`))
	c := p.dial("")
	for _, test := range []struct{ frame, want string }{
		{`{"action":"work"}`, "ValueError: that does not do"},
		{`{"action":"work","exit":1}`, "Runtime.ExitError"},
		{`{"action":"work","nothing":1}`, `gateway: malformed response: "null" is no object, as {"statusCode": 200}`},
	} {
		c.send("%s", test.frame)
		id := c.hearsFailure()
		p.out.await(1, id, "MESSAGE work → Work: 500", "Internal server error: "+test.want)
		report, ok := p.Journal().Find(id)
		if !ok || !strings.Contains(report, test.want) || !strings.Contains(report, "about to fail") {
			t.Errorf("why says:\n%s", report)
		}
		if strings.Contains(report, "\x1b") {
			t.Error("why hands on what colours terminals")
		}
	}
	c.send(`{"action":"dance"}`)
	frame, _ := decoded(t, c.next()).(map[string]any)
	id, _ := frame["requestId"].(string)
	p.out.await(1, id, "MESSAGE without a route", "403", "Forbidden: no route has this key, and there is no $default")

	_, answer, err := websocket.Dial(t.Context(), strings.TrimSuffix(p.url, "test")+"prod", nil) //nolint:bodyclose // the library closes it
	if err == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("another stage: %v", err)
	}
	p.out.await(1, `refused: there is no stage "prod"; the URLs are `+p.url)
	if strings.Contains(p.out.await(1, "about to fail"), "\x1b") {
		t.Error("what is printed colours terminals")
	}
}

// guarded is the workshop with an authorizer before $connect.
const guarded = workshop + `
  Guard:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: guard.handler
      Code: code/
      Role: arn:aws:iam::000000000000:role/test
  GuardPermission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Guard, Principal: apigateway.amazonaws.com}
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      Name: guard
      AuthorizerType: REQUEST
      AuthorizerUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Guard.Arn}/invocations
      IdentitySource: [route.request.querystring.token]
  ConnectRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Authorizer
      Target: !Sub integrations/${Integration}
`

// The authorizer's verdict is told; what clients carry as a secret is not.
func TestRunner_authorizer(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{
		"template.yaml": guarded,
		"code/main.py":  answers("'hello'"),
		"code/guard.py": `
def handler(event, context):
    if event["queryStringParameters"]["token"] == "open-sesame":
        effect = "Allow"
    else:
        effect = "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {"principalId": "ali-baba", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
`,
	})
	p := begin(t, dir)
	p.dial("?token=open-sesame")
	id := strings.Fields(p.events(1, "CONNECT", "$connect"))[1]
	report, _ := p.Journal().Find(id)
	for _, want := range []string{"allowed ali-baba", "authorizer Guard", "integration Work", "$connect of Api/test"} {
		if !strings.Contains(report, want) {
			t.Errorf("why does not say %q:\n%s", want, report)
		}
	}
	for query, status := range map[string]int{"?token=guessed-secret": 403, "": 401} {
		conn, answer, err := websocket.Dial(t.Context(), p.url+query, nil) //nolint:bodyclose // the library closes it
		if err == nil {
			conn.CloseNow()
			t.Fatalf("%q may connect", query)
		}
		if answer.StatusCode != status {
			t.Errorf("%q: got %d, want %d", query, answer.StatusCode, status)
		}
	}
	p.out.await(1, "CONNECT $connect → Guard: 403", "with an explicit deny")
	p.out.await(1, "CONNECT $connect: 401", "Unauthorized")
	if leaked, _ := p.out.lines("guessed-secret"); leaked != nil {
		t.Errorf("printed %q", leaked)
	}
}

// poster is one more function of the workshop, with its route.
const poster = `
  Poster:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.11
      Handler: post.handler
      Code: code/
      Timeout: 20
      Role: arn:aws:iam::000000000000:role/test
  PosterPermission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Poster, Principal: apigateway.amazonaws.com}
  PosterIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Poster.Arn}/invocations
  PosterRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: post, Target: !Sub "integrations/${PosterIntegration}"}
`

// Code and template may change while clients are connected; a template with mistakes changes nothing.
func TestRunner_Watch(t *testing.T) {
	t.Parallel()
	dir := work(t, answers("'one ' + os.environ['GREETING']"))
	p := begin(t, dir)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		p.Watch(t.Context())
	}()
	t.Cleanup(func() { <-watching })
	c := p.dial("")
	says := func(want string) {
		t.Helper()
		c.send(`{"action":"work"}`)
		c.hears(`"` + want + `"`)
	}
	says("one hello")
	write(t, dir, map[string]string{"code/main.py": answers("'second ' + os.environ['GREETING']")})
	p.out.await(1, "reloaded in")
	says("second hello")
	write(t, dir, map[string]string{"template.yaml": strings.Replace(workshop, "RouteKey: work", "RouteKey: $work", 1)})
	p.out.await(1, "not reloaded, the last version runs on")
	p.out.await(1, "template.yaml:", "error:", "$work")
	says("second hello")
	write(t, dir, map[string]string{"template.yaml": strings.Replace(workshop, "GREETING: hello", "GREETING: good day", 1)})
	p.out.await(2, "reloaded in")
	says("second good day")

	// A function that was not there before may call the API as the others.
	more := strings.Replace(strings.Replace(workshop, "GREETING: hello", "GREETING: good day", 1),
		"  Route:\n", poster+"  Route:\n", 1)
	write(t, dir, map[string]string{"template.yaml": more, "code/post.py": `
import boto3
def handler(event, context):
    connection = event["requestContext"]["connectionId"]
    boto3.client("apigatewaymanagementapi").post_to_connection(ConnectionId=connection, Data=b"posted")
    return {"statusCode": 200}
`})
	p.out.await(3, "reloaded in")
	c.send(`{"action":"post"}`)
	c.hears("posted")
}

// A debugger finds a Node.js function at its port.
func TestRunner_inspect(t *testing.T) {
	t.Parallel()
	text := strings.Replace(workshop, "python3.11", "nodejs20.x", 1)
	dir := write(t, t.TempDir(), map[string]string{
		"template.yaml": text,
		"code/main.mjs": "export const handler = async () => ({ statusCode: 200, body: 'inspected' });\n",
	})
	addr := sim.FreeAddr(t)
	_, digits, _ := strings.Cut(addr, ":")
	port, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	p := begin(t, dir, func(c *rehearsal.Config) { c.Inspect = map[string]int{"Work": port} })
	c := p.dial("")
	c.send(`{"action":"work"}`)
	c.hears("inspected")
	answer, err := http.Get("http://" + addr + "/json/list") //nolint:noctx // of this process
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var targets []struct{ Type, WebSocketDebuggerURL string }
	if err := json.NewDecoder(answer.Body).Decode(&targets); err != nil || len(targets) != 1 ||
		!strings.HasPrefix(targets[0].WebSocketDebuggerURL, "ws://"+addr) {
		t.Errorf("the debugger is told %v, %v", targets, err)
	}
}

// Two APIs have two ports; functions invoke one another.
func TestRunner_twoAPIs(t *testing.T) {
	t.Parallel()
	second := strings.NewReplacer("  Api:", "  Other:", "!Ref Api", "!Ref Other", "  Stage:", "  OtherStage:",
		"  Work:", "  OtherWork:", "!Ref Work", "!Ref OtherWork", "${Work.Arn}", "${OtherWork.Arn}",
		"main.handler", "other.handler", "  Permission:", "  OtherPermission:", "  Integration:", "  OtherIntegration:",
		"${Integration}", "${OtherIntegration}", "  Route:", "  OtherRoute:", "!Ref Route", "!Ref OtherRoute",
		"  Response:", "  OtherResponse:", "GREETING: hello", "OTHER: !Ref Work",
	).Replace(workshop[strings.Index(workshop, "Resources:\n")+len("Resources:\n"):])
	dir := write(t, t.TempDir(), map[string]string{
		"template.yaml": workshop + second,
		"code/main.py":  answers("[event.get('from'), os.environ['AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI']]"),
		"code/other.py": `
import json, os, urllib.request
def handler(event, context):
    url = f"{os.environ['AWS_ENDPOINT_URL_LAMBDA']}/2015-03-31/functions/{os.environ['OTHER']}/invocations"
    answer = json.load(urllib.request.urlopen(url, b'{"from":"other"}'))
    return {"statusCode": 200, "body": answer["body"]}
`,
	})
	p := begin(t, dir)
	urls := p.URLs()
	if len(urls) != 2 || urls[0] == urls[1] {
		t.Fatalf("URLs %v, want two", urls)
	}
	p.url = urls[1]
	c := p.dial("")
	c.send(`{"action":"work"}`)
	c.hearsJSON(`["other","http` + strings.TrimPrefix(urls[0], "ws") + `"]`)
	p.out.await(1, "INVOKE Work: done")
	p.events(1, "MESSAGE", "work → OtherWork")
}

// Clients are told that this ends.
func TestRunner_closes(t *testing.T) {
	t.Parallel()
	p := begin(t, work(t, answers("1")))
	c := p.dial("")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	_, _, err := c.conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the connection ends with %v, want 1001", err)
	}
	begin := time.Now()
	if _, err := http.Get("http" + strings.TrimPrefix(p.url, "ws")); err == nil { //nolint:noctx,bodyclose // nobody is there
		t.Errorf("it answers after Close, in %v", time.Since(begin))
	}
}
