package writeups

import (
	"strings"
	"testing"
)

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
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Handler.Arn}/invocations
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref ChatApi, StageName: production, AutoDeploy: true}
ROUTES`

// route is a route of that template.
const route = `
  RouteNUMBER:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref ChatApi, RouteKey: KEY, Target: !Join ["/", [integrations, !Ref Integration]]}`

// LoungeRegion is the region of the API whose address is in the lounge's code.
const LoungeRegion = "ap-southeast-1"

// Lounge gives the files of the fourth write-up's chat, by path: one function, whose names live in the
// memory of one process. It skips a test where the text is not here.
func Lounge(tb testing.TB) map[string]string {
	tb.Helper()
	_, code, _ := strings.Cut(read(tb, 4), "```javascript\n")
	code, _, _ = strings.Cut(code, "\n```")
	code = strings.ReplaceAll(code, "\u00c2\u00a0", " ") // the file's blanks were decoded wrongly
	code = strings.ReplaceAll(code, "<awesomeID>", "a1b2c3d4e5")
	if !strings.Contains(code, "'https://a1b2c3d4e5.execute-api."+LoungeRegion+".amazonaws.com/production'") {
		tb.Fatal("the handler is not as it was")
	}
	routes := ""
	for i, key := range []string{"$connect", "$disconnect", "$default", "sendPublic", "sendPrivate", "setName"} {
		r := strings.ReplaceAll(route, "NUMBER", string(rune('0'+i)))
		routes += strings.ReplaceAll(r, "KEY", key)
	}
	return map[string]string{
		"template.yaml": strings.ReplaceAll(notes, "ROUTES", routes), "src/index.mjs": code,
	}
}
