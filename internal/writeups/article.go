package writeups

import (
	"regexp"
	"strings"
	"testing"
)

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
    Properties:
      ApiId: !Ref MyApi
      RouteKey: KEY
      AuthorizationType: NONE
      Target: !Sub "integrations/${NAMEIntegration}"
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
func handlers(tb testing.TB) map[string]string {
	tb.Helper()
	text := read(tb, 2)
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
			tb.Fatalf("no code after %q", marks[0])
		}
		files["src/handlers/"+file+".py"] = indented(part[first[0]:])
	}
	return files
}

// indented gives Python back the indentation that the article's text has lost. What ends a block is
// the next except or function, a return, and in the one loop the line after its call.
func indented(code string) string {
	var b blocks
	for line := range strings.Lines(code) {
		b.add(strings.TrimSpace(line))
	}
	return b.out.String()
}

// blocks is Python as far as it has been read.
type blocks struct {
	out                strings.Builder
	depth, open        int // blocks, and brackets within a statement
	returning, looping bool
}

func (b *blocks) add(line string) {
	switch {
	case strings.HasPrefix(line, "def "):
		b.depth, b.returning = 0, false
	case strings.HasPrefix(line, "except ") && !b.returning:
		b.depth--
	}
	b.returning = b.returning && b.open > 0
	closing := strings.HasPrefix(line, "}") || strings.HasPrefix(line, ")")
	inner := b.open
	if closing {
		inner--
	}
	b.out.WriteString(strings.Repeat("    ", max(0, b.depth+inner)) + line + "\n")
	for _, c := range line {
		switch c {
		case '(', '{':
			b.open++
		case ')', '}':
			b.open--
		}
	}
	b.end(line, closing)
}

// end finds which block the line has ended or begun.
func (b *blocks) end(line string, closing bool) {
	b.returning = b.returning || strings.HasPrefix(line, "return ")
	if b.returning && b.open == 0 {
		b.depth-- // and an except that follows is where it belongs
		return
	}
	b.looping = b.looping || strings.HasPrefix(line, "for ")
	if b.looping && b.open == 0 && closing {
		b.depth, b.looping = b.depth-1, false
	}
	if b.open == 0 && strings.HasSuffix(line, ":") {
		b.depth++
	}
}

// Article gives the files of the second write-up's chat, by path: four functions in Python, one of
// them with a Scan of the table. It skips a test where the text is not here.
func Article(tb testing.TB) map[string]string {
	tb.Helper()
	files := handlers(tb)
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
	return files
}
