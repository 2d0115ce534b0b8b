package rehearsal_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/tools"
)

// writeUp gives the text of a write-up, with the line breaks of this system's tests.
func writeUp(t *testing.T, number int) string {
	t.Helper()
	text, err := os.ReadFile(tools.WriteUp(t, number))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// notes is the template of what the notes of the lounge set up by hand in a console.
const notes = `
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  ChatApi:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: chat-api
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
  Handler:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: chat-api-handler
      Runtime: nodejs20.x
      Handler: index.handler
      Code: src/
      Timeout: 25
      Role: arn:aws:iam::000000000000:role/chat
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref Handler
      Principal: apigateway.amazonaws.com
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref ChatApi
      IntegrationType: AWS_PROXY
      IntegrationUri: !Join ["", ["arn:aws:apigateway:", !Ref AWS::Region, ":lambda:path/2015-03-31/functions/", !GetAtt Handler.Arn, "/invocations"]]
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref ChatApi, StageName: production, AutoDeploy: true}
ROUTES`

// route is a route of that template.
const route = `
  RouteNUMBER:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref ChatApi, RouteKey: KEY, Target: !Join ["/", [integrations, !Ref Integration]]}`

// The one handler of the fourth write-up as it stands there, with the address of an API on AWS in its
// code. Its names live in the memory of one process: events come one after the other.
func TestSeed_lounge(t *testing.T) {
	t.Parallel()
	_, code, _ := strings.Cut(writeUp(t, 4), "```javascript\n")
	code, _, _ = strings.Cut(code, "\n```")
	code = strings.ReplaceAll(code, "\u00c2\u00a0", " ") // the file's blanks were decoded wrongly
	code = strings.ReplaceAll(code, "<awesomeID>", "a1b2c3d4e5")
	if !strings.Contains(code, "'https://a1b2c3d4e5.execute-api.ap-southeast-1.amazonaws.com/production'") {
		t.Fatal("the handler is not as it was")
	}
	routes := ""
	for i, key := range []string{"$connect", "$disconnect", "$default", "sendPublic", "sendPrivate", "setName"} {
		r := strings.ReplaceAll(route, "NUMBER", string(rune('0'+i)))
		routes += strings.ReplaceAll(r, "KEY", key)
	}
	dir := write(t, t.TempDir(), map[string]string{
		"template.yaml": strings.ReplaceAll(notes, "ROUTES", routes), "src/index.mjs": code,
	})
	packages(t, dir)
	p := begin(t, dir, func(cfg *rehearsal.Config) { cfg.Stack.Region = "ap-southeast-1" })
	alice := p.dial("")
	bob := p.dial("")
	silent := p.dial("")

	alice.send(`{"action":"setName","name":"Alice"}`)
	alice.hearsJSON(`{"members":["Alice"]}`, `{"systemMessage":"Alice has joined the chat"}`)
	p.events(1, "MESSAGE", "setName")
	bob.send(`{"action":"setName","name":"Bob"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"members":["Alice","Bob"]}`, `{"systemMessage":"Bob has joined the chat"}`)
	}
	p.events(2, "MESSAGE", "setName")
	alice.send(`{"action":"sendPublic","message":"hello world"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"publicMessage":"Alice: hello world"}`)
	}
	p.events(1, "MESSAGE", "sendPublic")
	alice.send(`{"action":"sendPrivate","to":"Bob","message":"hi"}`)
	bob.hearsJSON(`{"privateMessage":"Alice: hi"}`)
	p.events(1, "MESSAGE", "sendPrivate")

	// What the notes take for a rule: with a $ no route is met, and the function does nothing.
	alice.send(`{"action":"$sendPublic","message":"hello world"}`)
	p.events(1, "MESSAGE", "$default")
	// The literal code speaks for a connection without a name as undefined.
	silent.send(`{"action":"sendPublic","message":"who am I?"}`)
	for _, c := range []*client{alice, bob} {
		c.hearsJSON(`{"publicMessage":"undefined: who am I?"}`)
	}
	p.events(2, "MESSAGE", "sendPublic")

	bob.leave()
	alice.hearsJSON(`{"systemMessage":"Bob has left the chat"}`, `{"members":["Alice"]}`)
	// Posting to the one who has left is answered 410, which the code swallows; confab why shows it.
	line := p.events(1, "DISCONNECT", "$disconnect")
	if !strings.Contains(line, "3 pushes (1 failed)") {
		t.Errorf("printed %q, want one of three pushes failed", line)
	}
	report, ok := p.Journal().Find(strings.Fields(line)[1])
	if !ok || !strings.Contains(report, "to connection "+bob.id+": 410 GoneException") ||
		!strings.Contains(report, "Disconnected") {
		t.Errorf("why says:\n%s", report)
	}
}

// The template of the second write-up, whose own has lost its indentation.
const article = `
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.11
    Architectures: [x86_64]
    MemorySize: 128
    Timeout: 25
    Environment:
      Variables:
        TABLE_NAME: !Ref ConnectionTable
Resources:
  ConnectionTable:
    Type: AWS::Serverless::SimpleTable
    Properties:
      PrimaryKey: {Name: id, Type: String}
      ProvisionedThroughput: {ReadCapacityUnits: 2, WriteCapacityUnits: 2}
  MyApi:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Description: My API Gateway
      DisableExecuteApiEndpoint: false
      Name: chat-app
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
  MyDeployment:
    Type: "AWS::ApiGatewayV2::Deployment"
    DependsOn: [connectRoute, disconnectRoute, sendRoute, usersRoute]
    Properties: {ApiId: !Ref MyApi}
  MyStage:
    Type: "AWS::ApiGatewayV2::Stage"
    Properties: {StageName: Prod, ApiId: !Ref MyApi, DeploymentId: !Ref MyDeployment}
PARTS`

// articlePart is one function of it with its route.
const articlePart = `
  NAMEFn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: src/handlers/FILE.lambda_handler
      Policies: [{DynamoDBCrudPolicy: {TableName: !Ref ConnectionTable}}]
  NAMERoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref MyApi, RouteKey: KEY, AuthorizationType: NONE, Target: !Sub "integrations/${NAMEIntegration}"}
  NAMEIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref MyApi
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${NAMEFn.Arn}/invocations
  NAMEPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref NAMEFn
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${MyApi}/*/KEY"`

// handlers takes the Python handlers out of the article, between the sentences that introduce them.
func handlers(t *testing.T) map[string]string {
	t.Helper()
	text := writeUp(t, 2)
	files := map[string]string{}
	for file, marks := range map[string][2]string{
		"connect":      {"The connection function is given below:", "The disconnection function is given below:"},
		"disconnect":   {"The disconnection function is given below:", "The SendMessage function is given below:"},
		"send_message": {"The SendMessage function is given below:", "The List users function is given below:"},
		"list_users":   {"The List users function is given below:", "Now lets see the SAM template"},
	} {
		_, part, _ := strings.Cut(text, marks[0])
		part, _, _ = strings.Cut(part, marks[1])
		first := regexp.MustCompile(`(?m)^import `).FindStringIndex(part)
		if first == nil {
			t.Fatalf("no code after %q", marks[0])
		}
		files["src/handlers/"+file+".py"] = indented(part[first[0]:])
	}
	return files
}

// indented gives Python back the indentation that the article's text has lost. What ends a block is
// the next except or function, a return, and in the one loop the line after its call.
func indented(code string) string {
	var out strings.Builder
	depth, open := 0, 0 // blocks, and brackets within a statement
	returning, looping := false, false
	for line := range strings.Lines(code) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "def "):
			depth, returning = 0, false
		case strings.HasPrefix(line, "except ") && !returning:
			depth--
		}
		returning = returning && open > 0
		closing := strings.HasPrefix(line, "}") || strings.HasPrefix(line, ")")
		inner := open
		if closing {
			inner--
		}
		out.WriteString(strings.Repeat("    ", max(0, depth+inner)) + line + "\n")
		open += strings.Count(line, "(") + strings.Count(line, "{") - strings.Count(line, ")") - strings.Count(line, "}")
		if strings.HasPrefix(line, "return ") {
			returning = true
		}
		if returning && open == 0 {
			depth-- // and an except that follows is where it belongs
			continue
		}
		looping = looping || strings.HasPrefix(line, "for ")
		if looping && open == 0 && closing {
			depth, looping = depth-1, false
		}
		if open == 0 && strings.HasSuffix(line, ":") {
			depth++
		}
	}
	return out.String()
}

// The four handlers of the second write-up as they stand there, which post to the host that the
// client has used, over TLS.
func TestSeed_article(t *testing.T) {
	t.Parallel()
	files := handlers(t)
	parts := ""
	for _, f := range []struct{ name, file, key string }{
		{"connect", "connect", "$connect"},
		{"disconnect", "disconnect", "$disconnect"},
		{"send", "send_message", "send"},
		{"users", "list_users", "users"},
	} {
		parts += strings.NewReplacer("NAME", f.name, "FILE", f.file, "KEY", f.key).Replace(articlePart)
	}
	files["template.yaml"] = strings.Replace(article, "PARTS", parts, 1)
	p := begin(t, write(t, t.TempDir(), files))
	alice := p.dial("?name=alice")
	bob := p.dial("?name=bob")

	// The code reads sent_by; the article's own test line says send_by, which fails.
	alice.send(`{"action":"send","message":"Hello World!","send_to":"bob","sent_by":"alice"}`)
	bob.hearsJSON(`{"sent_by":"alice","message":"Hello World!"}`)
	alice.send(`{"action":"send", "message":"Hello World!", "send_to":"bob", "send_by":"alice"}`)
	id := alice.hearsFailure()
	report, ok := p.Journal().Find(id)
	if !ok || !strings.Contains(report, "KeyError: 'sent_by'") || !strings.Contains(report, "send of MyApi/Prod") {
		t.Errorf("why says:\n%s", report)
	}

	contacts := func(c *client, want map[string]bool) {
		t.Helper()
		c.send(`{"action":"users"}`)
		frame, _ := decoded(t, c.next()).(map[string]any)
		list, _ := frame["contacts"].([]any)
		got := map[string]bool{}
		for _, one := range list {
			contact, _ := one.(map[string]any)
			name, _ := contact["name"].(string)
			got[name], _ = contact["status"].(bool)
		}
		if frame["action"] != "users" || len(list) != 2 || len(got) != 2 || got["alice"] != want["alice"] || got["bob"] != want["bob"] {
			t.Errorf("users is answered %v, want %v", frame, want)
		}
	}
	contacts(alice, map[string]bool{"alice": true, "bob": true})
	bob.leave()
	p.events(1, "DISCONNECT", "$disconnect")
	contacts(alice, map[string]bool{"alice": true, "bob": false})
	alice.send(`{"action":"send","message":"anybody?","send_to":"nobody","sent_by":"alice"}`)
	alice.hearsFailure() // there is no such item, and the code does not look
}
