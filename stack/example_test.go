package stack_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/coder/websocket"

	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// template is what a project deploys; its only route answers without a function.
const template = `
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: greeter, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $default
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${Integration}
  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: MOCK
      RequestTemplates: {$default: '{"statusCode": 200}'}
  Reply:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Integration
      IntegrationResponseKey: $default
      ResponseTemplates: {$default: 'hello from $context.stage'}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
  Jobs:
    Type: AWS::SQS::Queue
`

// check ends the example where something has failed.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A template runs in a test as it is; what cannot run is named.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "greeter-")
	check(err)
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "template.yaml")
	check(os.WriteFile(file, []byte(template), 0o600))

	s, diagnostics, err := stack.Load(stack.Options{Dir: dir})
	for _, d := range diagnostics {
		fmt.Printf("%d: %s: %s: %s\n", d.Line, d.Severity, d.Resource, d.Text)
	}
	check(err)
	defer s.Close()
	host, err := lambdahost.New(lambdahost.Config{}) // where functions would run
	check(err)
	defer host.Close()
	d, err := s.Deploy(ctx, stack.Target{Host: host})
	check(err)
	defer d.Close(ctx)
	server := httptest.NewServer(d)
	defer server.Close()

	c, _, err := websocket.Dial(ctx, server.URL+"/dev", nil) //nolint:bodyclose // the library closes it
	check(err)
	defer c.CloseNow()
	check(c.Write(ctx, websocket.MessageText, []byte("hi")))
	_, answer, err := c.Read(ctx)
	fmt.Println(string(answer), err)
	// Output:
	// 32: warning: Jobs: a queue does not run here: what is sent to it fails, and nobody is called
	// hello from dev <nil>
}
