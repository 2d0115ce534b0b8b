package stack_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/stack"
)

// here marks the line that a diagnostic is about.
const here = " # here"

// mistake is a change to testdata/right.yaml, and what is said of it.
type mistake struct {
	old, new string // new has the mark
	severity stack.Severity
	resource string
	text     string // is part of it
}

// mistakes are those of spec and forums, each with a name.
var mistakes = map[string]mistake{
	"deployment misses a route": {
		"  Deployment:\n    Type: AWS::ApiGatewayV2::Deployment\n    DependsOn: [ConnectRoute, SendRoute]",
		"  Deployment:" + here + "\n    Type: AWS::ApiGatewayV2::Deployment\n    DependsOn: ConnectRoute",
		stack.Warning, "Deployment", "may miss the routes send on AWS",
	},
	"deployment without depends on": {
		"  Deployment:\n    Type: AWS::ApiGatewayV2::Deployment\n    DependsOn: [ConnectRoute, SendRoute]",
		"  Deployment:" + here + "\n    Type: AWS::ApiGatewayV2::Deployment",
		stack.Warning, "Deployment", "may miss the routes $connect, send on AWS",
	},
	"stage without deployment": {
		"  Stage:\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      ApiId: !Ref Api\n      StageName: dev\n      DeploymentId: !Ref Deployment",
		"  Stage:" + here + "\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      ApiId: !Ref Api\n      StageName: dev",
		stack.Warning, "Stage", "neither a DeploymentId of this template nor AutoDeploy",
	},
	"no permission": {
		"  SendRoute:", "  SendRoute:" + here, // and the permission is for another route, below
		stack.Warning, "SendRoute", "no AWS::Lambda::Permission lets API Gateway call Chat for the route send",
	},
	"route without target": {
		"  SendRoute:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: send\n      Target: !Join [/, [integrations, !Ref Integration]]",
		"  SendRoute:" + here + "\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: send",
		stack.Warning, "SendRoute", "has no Target",
	},
	"selection without route response": {
		"  SendRoute:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:",
		"  SendRoute:" + here + "\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      RouteResponseSelectionExpression: $default",
		stack.Warning, "SendRoute", "no AWS::ApiGatewayV2::RouteResponse",
	},
	"route response without selection": {
		"  SendRoute:\n    Type: AWS::ApiGatewayV2::Route",
		"  Back:\n    Type: AWS::ApiGatewayV2::RouteResponse\n    Properties: {ApiId: !Ref Api, RouteId: !Ref SendRoute," +
			" RouteResponseKey: $default}\n  SendRoute:" + here + "\n    Type: AWS::ApiGatewayV2::Route",
		stack.Warning, "SendRoute", "no RouteResponseSelectionExpression",
	},
	"body without route response": {
		"  SendRoute:", "  SendRoute:" + here, // and the function returns a body, below
		stack.Info, "SendRoute", "the body that Chat returns reaches nobody",
	},
	"resource ends in @connections": {
		"Resource: !Sub arn:aws:execute-api:*:*:${Api}/*",
		"Resource: !Sub arn:aws:execute-api:*:*:${Api}/dev/POST/@connections" + here,
		stack.Warning, "Role", "matches no connection",
	},
	"wildcard resource": {
		"Resource: !Sub arn:aws:execute-api:*:*:${Api}/*", "Resource: '*'" + here,
		stack.Warning, "Role", "the resource * lets the function do execute-api:ManageConnections with everything",
	},
	"stage in custom domain": {
		"  Chat:\n    Type: AWS::Lambda::Function\n    Properties:",
		"  Map:\n    Type: AWS::ApiGatewayV2::ApiMapping\n    Properties: {DomainName: ws.example.com, ApiId: !Ref Api, Stage: dev}\n" +
			"  Chat:" + here + "\n    Type: AWS::Lambda::Function\n    Properties:",
		stack.Warning, "Chat", "a custom domain has no stage in its path",
	},
	"status is a text": {
		"exports.handler = async () => ({ statusCode: 200 });",
		"exports.handler = async () => ({ statusCode: '200' }); // " + here,
		stack.Warning, "Chat", "a statusCode that is a text",
	},
	"es module in js": {
		"exports.handler = async () => ({ statusCode: 200 });",
		"export const handler = async () => ({ statusCode: 200 }); // " + here,
		stack.Warning, "Chat", "an ES module in index.js",
	},
	"logging without account role": {
		"  Stage:\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:",
		"  Stage:" + here + "\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      DefaultRouteSettings: {LoggingLevel: INFO}",
		stack.Info, "Stage", "AWS::ApiGateway::Account",
	},
	"timeout over 29 s": {
		"Timeout: 10", "Timeout: 100" + here,
		stack.Warning, "Chat", "API Gateway waits for 29 s",
	},
	"integration over 29 s": {
		"IntegrationType: AWS_PROXY", "IntegrationType: AWS_PROXY\n      TimeoutInMillis: 30000" + here,
		stack.Error, "Integration", "API Gateway takes 50 to 29,000",
	},
	"key with $": {
		"  SendRoute:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: send",
		"  SendRoute:" + here + "\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: $send",
		stack.Error, "SendRoute", "only $connect, $disconnect and $default begin with $",
	},
	"route twice": {
		"  SendRoute:\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: send",
		"  SendRoute:" + here + "\n    Type: AWS::ApiGatewayV2::Route\n    Properties:\n      ApiId: !Ref Api\n      RouteKey: $connect",
		stack.Error, "SendRoute", "is here twice",
	},
	"authorization beyond $connect": {
		"RouteKey: send", "RouteKey: send\n      AuthorizationType: AWS_IAM" + here,
		stack.Error, "SendRoute", "only $connect can have an authorization",
	},
	"identity source of http apis": {
		"RouteKey: $connect\n      Target: !Sub integrations/${Integration}",
		"RouteKey: $connect\n      Target: !Sub integrations/${Integration}\n" +
			"      AuthorizationType: CUSTOM\n      AuthorizerId: !Ref Guard\n" +
			"  Guard:\n    Type: AWS::ApiGatewayV2::Authorizer\n    Properties:\n      ApiId: !Ref Api\n" +
			"      AuthorizerType: REQUEST\n      AuthorizerUri: !GetAtt Chat.Arn\n" +
			"      AuthorizerCredentialsArn: !GetAtt Role.Arn\n" +
			"      IdentitySource:\n        [$request.header.Auth]" + here,
		stack.Error, "Guard", "the identity source $request.header.Auth",
	},
	"stage $default": {
		"  Stage:\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      ApiId: !Ref Api\n      StageName: dev",
		"  Stage:" + here + "\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      ApiId: !Ref Api\n      StageName: $default",
		stack.Error, "Stage", "the stage \"$default\"",
	},
	"access log without request id": {
		"DeploymentId: !Ref Deployment",
		"DeploymentId: !Ref Deployment\n      AccessLogSettings:\n        Format: $context.routeKey" + here + "\n  Account:\n    Type: AWS::ApiGateway::Account",
		stack.Error, "Stage", "$context.requestId",
	},
	"table without throughput": tableWith("{AttributeDefinitions: [{AttributeName: a, AttributeType: S}], KeySchema:"+
		" [{AttributeName: a, KeyType: HASH}]}", stack.Warning, "AWS refuses it"),
	"table with another attribute": tableWith("{BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: a,"+
		" AttributeType: S}, {AttributeName: b, AttributeType: S}], KeySchema: [{AttributeName: a, KeyType: HASH}]}",
		stack.Error, "the attribute b is in no key"),
	"table without its key": tableWith("{BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [], KeySchema:"+
		" [{AttributeName: a, KeyType: HASH}]}", stack.Error, "the key attribute a is not among the AttributeDefinitions"),
	"unknown reference": {
		"!Ref Deployment", "!Ref Deploymnet" + here,
		stack.Error, "Stage", `there is no resource or parameter "Deploymnet"`,
	},
	"unknown reference in sub": {
		"Target: !Sub integrations/${Integration}", "Target: !Sub integrations/${Integratoin}" + here,
		stack.Error, "ConnectRoute", `there is no resource or parameter "Integratoin"`,
	},
	"import of another stack": {
		"Environment: {Variables: {API: !Ref Api}}", "Environment: {Variables: {API: !ImportValue shared-api}}" + here,
		stack.Error, "Chat", "the exports of other stacks are not known here",
	},
	"unknown function": {
		"!Ref Deployment", "!Reff Deployment" + here,
		stack.Error, "", "!Reff: there is no such function",
	},
	"no yaml": {
		"      DeploymentId: !Ref Deployment", "      DeploymentId: !Ref Deployment\n\tx: y" + here,
		stack.Error, "", "this is no YAML",
	},
	"name twice": {
		"DeploymentId: !Ref Deployment", "DeploymentId: !Ref Deployment\n      StageName: two" + here,
		stack.Error, "", `"StageName" is here twice`,
	},
	"parameter without value": {
		"  Env: {Type: String, Default: dev, AllowedValues: [dev, prod]}", "  Env: {Type: String}" + here,
		stack.Error, "Env", "give it with --parameter Env=VALUE",
	},
	"parameter not allowed": {
		"Default: dev, AllowedValues: [dev, prod]}", "Default: test, AllowedValues: [dev, prod]}" + here,
		stack.Error, "Env", "allowed are dev, prod",
	},
}

// TestLoad_Mistakes makes each mistake in a template that has none.
func TestLoad_Mistakes(t *testing.T) {
	t.Parallel()
	tools.Program(t, "node")
	data, err := os.ReadFile("testdata/right.yaml")
	if err != nil {
		t.Fatal(err)
	}
	right := string(data)
	if diagnostics, err := loadText(t, right); err != nil || len(diagnostics) > 0 {
		t.Fatalf("the template without a mistake: %v\n%s", err, lines(diagnostics))
	}
	also := map[string]*strings.Replacer{ // what a mistake needs elsewhere
		"no permission":               strings.NewReplacer("${AWS::AccountId}:${Api}/*", "${AWS::AccountId}:${Api}/*/$$connect"),
		"body without route response": strings.NewReplacer("{ statusCode: 200 }", "{ statusCode: 200, body: 'x' }"),
		"stage in custom domain":      strings.NewReplacer("{API: !Ref Api}", "{API: 'https://ws.example.com/dev'}"),
	}
	for name, m := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong := strings.Replace(right, m.old, m.new, 1)
			if wrong == right {
				t.Fatal("the template has no such text")
			}
			if r := also[name]; r != nil {
				wrong = strings.ReplaceAll(r.Replace(wrong), "$$", "$")
			}
			above, _, _ := strings.Cut(wrong, here)
			line := 1 + strings.Count(above, "\n")
			diagnostics, err := loadText(t, wrong)
			if failed := errors.Is(err, stack.ErrTemplate); failed != (m.severity == stack.Error) {
				t.Errorf("Load: %v", err)
			}
			if len(diagnostics) != 1 {
				t.Fatalf("%d diagnostics, want 1:\n%s", len(diagnostics), lines(diagnostics))
			}
			d := diagnostics[0]
			if d.Line != line || d.Column < 1 || d.Severity != m.severity || d.Resource != m.resource ||
				!strings.Contains(d.Text, m.text) {
				t.Errorf("got %s\nwant line %d, %s, %s, %s", d, line, m.severity, m.resource, m.text)
			}
		})
	}
}

// loadText loads a template of its own, as a file.
func loadText(t *testing.T, text string) ([]stack.Diagnostic, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, diagnostics, err := stack.Load(stack.Options{Template: file, StackName: "chat"})
	if err == nil {
		err = s.Close()
	}
	return diagnostics, err
}

// tableWith adds a table with a mistake.
func tableWith(properties string, severity stack.Severity, text string) mistake {
	m := extra("AWS::DynamoDB::Table", properties, text)
	if m.severity = severity; strings.Contains(text, "no key") { // it is said of the attribute
		m.new = strings.Replace(m.new, here, "", 1)
		m.new = strings.Replace(m.new, properties, properties+here, 1)
	}
	return m
}
