package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/stack"
)

// cannotRun are resources that do not run here, added to testdata/right.yaml, and what is said.
var cannotRun = map[string]mistake{
	"queue":           extra("AWS::SQS::Queue", "", "a queue does not run here"),
	"user pool":       extra("AWS::Cognito::UserPool", "", "a user pool does not run here"),
	"http api of sam": extra("AWS::Serverless::HttpApi", "", "only WebSocket APIs run here"),
	"http api": extra("AWS::ApiGatewayV2::Api", "{Name: x, ProtocolType: HTTP}",
		"an API of the protocol HTTP does not run here"),
	"rest api":     extra("AWS::ApiGateway::RestApi", "{Name: x}", "only WebSocket APIs run here"),
	"nested stack": extra("AWS::CloudFormation::Stack", "", "load its template by itself"),
	"event source": extra("AWS::Lambda::EventSourceMapping", "", "they call no function"),
	"anything":     extra("AWS::MediaConvert::JobTemplate", "", "AWS::MediaConvert::JobTemplate does not run here"),
	"other runtime": extra("AWS::Lambda::Function", "{Runtime: java21, Handler: x.Y}",
		"the function does not run here: the runtime java21 does not"),
	"image": extra("AWS::Lambda::Function", "{PackageType: Image, Code: {ImageUri: a/b}}",
		"the function does not run here: container images do not"),
	"event of sam": {
		"  Role:\n", "  Tick:\n    Type: AWS::Serverless::Function\n    Properties:\n      Runtime: nodejs22.x\n" +
			"      Handler: index.handler\n      InlineCode: exports.handler = async () => {}\n      Events:\n" +
			"        Hourly:" + here + "\n          Type: SNS\n  Role:\n",
		stack.Warning, "Tick", "the event Hourly of the type SNS does not run here",
	},
	"old runtime": {
		"Runtime: nodejs22.x", "Runtime: nodejs14.x" + here,
		stack.Warning, "Chat", "the runtime nodejs14.x runs as nodejs18.x here",
	},
	"layer of others": {
		"Handler: index.handler", "Handler: index.handler\n      Layers:\n        - arn:aws:lambda:us-east-1:1:layer:x:2" + here,
		stack.Warning, "Chat", "is not in the template: what it holds is missing here",
	},
	"stream": {
		"  Role:\n", "  Table:\n    Type: AWS::DynamoDB::Table\n    Properties:\n" +
			"      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]\n" +
			"      KeySchema: [{AttributeName: id, KeyType: HASH}]\n      BillingMode: PAY_PER_REQUEST\n" +
			"      StreamSpecification:\n        StreamViewType: NEW_IMAGE" + here + "\n  Role:\n",
		stack.Warning, "Table", "the table's stream does not run here",
	},
	"secret": {
		"{API: !Ref Api}}", "{API: '{{resolve:ssm:name}}'}}" + here,
		stack.Warning, "Chat", "refers to a service that does not run here",
	},
	"inline import": {
		"          exports.handler = async", "          const x = require('left-pad');\n          exports.handler = async",
		stack.Warning, "Chat", "the package left-pad is imported, and is neither in",
	},
	"velocity": {
		"IntegrationType: AWS_PROXY", "IntegrationType: MOCK\n      RequestTemplates: {x: '#set($a = 1)'}",
		stack.Warning, "Integration", "answers as an integration that fails",
	},
}

// extra is a resource that is added.
func extra(typ, properties, text string) mistake {
	if properties == "" {
		properties = "{}"
	}
	return mistake{
		"  Role:\n", "  Extra:" + here + "\n    Type: " + typ + "\n    Properties: " + properties + "\n\n  Role:\n",
		stack.Warning, "Extra", text,
	}
}

// TestLoad_CannotRun names what does not run here, and loads the rest.
func TestLoad_CannotRun(t *testing.T) {
	t.Parallel()
	tools.Program(t, "node")
	data, err := os.ReadFile("testdata/right.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range cannotRun {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(string(data), m.old, m.new, 1)
			above, _, marked := strings.Cut(text, here)
			line := 1 + strings.Count(above, "\n")
			diagnostics, err := loadText(t, text)
			if err != nil || len(diagnostics) == 0 {
				t.Fatalf("Load: %v\n%s", err, lines(diagnostics))
			}
			d := diagnostics[0]
			if marked && d.Line != line || d.Severity != m.severity || d.Resource != m.resource ||
				!strings.Contains(d.Text, m.text) {
				t.Errorf("got %s\nwant line %d, %s, %s, %s", d, line, m.severity, m.resource, m.text)
			}
			if marked && len(diagnostics) > 1 {
				t.Errorf("%d diagnostics, want 1:\n%s", len(diagnostics), lines(diagnostics))
			}
		})
	}
}

// handler is a template with one function, whose code the cases are about.
const handler = `
-- template.yaml --
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties: {Runtime: RUNTIME, Handler: app.handler, CodeUri: src}
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}
`

// TestLoad_Packages refuses functions whose packages are missing, and says how to get them.
func TestLoad_Packages(t *testing.T) {
	t.Parallel()
	const node, python = "nodejs22.x", "python3.12"
	for name, c := range map[string]struct{ runtime, files, want string }{
		"node": {
			node, "-- src/app.js --\nconst ws = require('left-pad');\nexports.handler = async () => {};\n" +
				`-- src/package.json --` + "\n" + `{"dependencies": {"left-pad": "1"}}`,
			"error: Fn: the packages left-pad are missing: run `npm install` in SRC, or `sam build`",
		},
		"node, installed": {
			node, "-- src/app.js --\nconst ws = require('left-pad/x');\nexports.handler = async () => {};\n" +
				`-- src/package.json --` + "\n" + `{"dependencies": {"left-pad": "1"}}` + "\n" +
				"-- src/node_modules/left-pad/package.json --\n{}", "",
		},
		"node, aws sdk": {
			node, "-- src/app.mjs --\nimport { X } from '@aws-sdk/client-none';\nimport { readFile } from 'node:fs';\n" +
				"export const handler = async () => {};\n" +
				`-- src/package.json --` + "\n" + `{"dependencies": {"@aws-sdk/client-none": "3"}}`,
			"error: Fn: AWS's runtime has the AWS SDK, and this machine has not:" +
				" run `npm install --no-save @aws-sdk/client-none` in SRC",
		},
		"node, undeclared": {
			node, "-- src/app.js --\nconst x = require('left-pad');\nconst fs = require('fs');\n",
			"warning: Fn: the package left-pad is imported, and is neither in SRC nor in its package.json",
		},
		"node, es module": {
			node, "-- src/app.js --\nexport const handler = async () => {};\n" +
				`-- src/package.json --` + "\n" + `{"type": "module"}`, "",
		},
		"python": {
			python, "-- src/app.py --\nimport json\nimport no_such_module\n" +
				"-- src/requirements.txt --\nno-such-module==1.0\n# comment\n",
			"error: Fn: the package no-such-module is missing: run `sam build`, or" +
				" `pip install -r requirements.txt -t .` in SRC",
		},
		"python, installed": {
			python, "-- src/app.py --\nimport no_such_module\n-- src/no_such_module/__init__.py --\n" +
				"-- src/requirements.txt --\nno-such-module==1.0\n", "",
		},
		"python, of sam build": {
			python, "-- src/app.py --\nimport vendored\n-- src/vendored/__init__.py --\nimport no_such_module\n" +
				"-- src/vendored-1.0.dist-info/METADATA --\nName: vendored\n", "",
		},
		"node, bundle": {
			node, "-- src/app.js --\nconst x = require('@aws-sdk/none');\n//" + strings.Repeat("x", 64<<10) + "\n", "",
		},
		"python, undeclared": {
			python, "-- src/app.py --\nimport no_such_module\n",
			"warning: Fn: the module no_such_module is imported, and is neither in SRC nor in its requirements.txt",
		},
		"no handler":  {node, "-- src/other.js --\n", "error: Fn: the handler app.handler is not there: SRC has no app.js"},
		"type script": {node, "-- src/app.ts --\n", "error: Fn: the handler app.handler is TypeScript: build it first"},
		"no code":     {node, "-- other/app.js --\n", "error: Fn: the code is not there: SRC"},
		"text status": {
			python, "-- src/app.py --\nimport json\ndef handler(event, context):\n    return {'statusCode': '200'}\n",
			"SRC/app.py:3:1: warning: Fn: a statusCode that is a text",
		},
		"common in mjs": {
			node, "-- src/app.mjs --\n\nconst x = require('fs');\n",
			"SRC/app.mjs:2:1: warning: Fn: CommonJS in the ES module app.mjs",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tools.Program(t, "node")
			tools.Program(t, "python3")
			text := strings.ReplaceAll(handler, "RUNTIME", c.runtime) + c.files
			dir := files(t, txtar.Parse([]byte(text)))
			s, diagnostics, err := stack.Load(stack.Options{Dir: dir})
			if s != nil {
				defer s.Close()
			}
			if failed := err != nil; failed != strings.Contains(c.want, "error: ") {
				t.Errorf("Load: %v", err)
			}
			want := strings.ReplaceAll(c.want, "SRC", filepath.Join(dir, "src"))
			if got := lines(diagnostics); !strings.Contains(got, want) || c.want == "" && got != "" {
				t.Errorf("got\n%s\nwant %s", got, want)
			}
		})
	}
}

// TestLoad_Uncalled loads a stack with a function that no client calls and that cannot start.
func TestLoad_Uncalled(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(handler, "RUNTIME", "nodejs22.x") + "-- src/app.js --\nexports.handler = 1;\n"
	dir := files(t, txtar.Parse([]byte(text)))
	change(t, dir, "template.yaml", "  Api:\n", "  Other:\n    Type: AWS::Serverless::Function\n"+
		"    Properties: {Runtime: nodejs22.x, Handler: app.handler, CodeUri: none}\n  Api:\n")
	s, diagnostics := load(t, stack.Options{Dir: dir})
	want := "warning: Other: the code is not there: " + filepath.Join(dir, "none")
	if got := lines(diagnostics); !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant %s", got, want)
	}
	if f := s.Function("Other"); !strings.Contains(f.Refused, "the code is not there") {
		t.Errorf("the function is refused for %q", f.Refused)
	}
	deploy(t, s, stack.Target{})
}

// TestLoad_GoModule builds a function whose bootstrap is missing, or for another system.
func TestLoad_GoModule(t *testing.T) {
	t.Parallel()
	const program = "-- src/go.mod --\nmodule fn\n\ngo 1.21\n-- src/main.go --\npackage main\n\nfunc main() {}\n"
	text := strings.ReplaceAll(handler, "RUNTIME", "provided.al2023")
	for name, c := range map[string]struct{ files, want string }{
		"no bootstrap": {program, ""},
		"other system": {program + "-- src/bootstrap --\n\x7fELF of another machine\n", ""},
		"script":       {"-- src/bootstrap --\n#!/bin/sh\n", ""},
		"makefile": {
			"-- src/go.mod --\nmodule fn\n-- src/Makefile --\nbuild-Fn:\n\tprintf '#!/bin/sh\\n' >$(ARTIFACTS_DIR)/bootstrap\n", "",
		},
		"does not compile": {
			strings.Replace(program, "func main() {}", "func main() { x }", 1), "undefined: x",
		},
		"no source": {"-- src/bootstrap --\n\x7fELF of another machine\n", "the bootstrap is for another system"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := files(t, txtar.Parse([]byte(text+c.files)))
			if name == "makefile" {
				change(t, dir, "template.yaml", "    Properties: {Runtime", "    Metadata: {BuildMethod: makefile}\n    Properties: {Runtime")
			}
			s, diagnostics, err := stack.Load(stack.Options{Dir: dir})
			if c.want != "" {
				if err == nil || !strings.Contains(lines(diagnostics), c.want) {
					t.Errorf("Load: %v, want %s\n%s", err, c.want, lines(diagnostics))
				}
				return
			}
			if err != nil {
				t.Fatalf("Load: %v\n%s", err, lines(diagnostics))
			}
			defer s.Close()
			f := s.Function("Fn")
			if _, err := os.Stat(filepath.Join(f.Lambda.Code, "bootstrap")); err != nil {
				t.Error(err)
			}
			if f.Source != filepath.Join(dir, "src") {
				t.Errorf("the source is %s", f.Source)
			}
		})
	}
}

// TestLoad_GoModuleOfBuild builds a function for this machine that sam build has built for another one.
func TestLoad_GoModuleOfBuild(t *testing.T) {
	t.Parallel()
	text := strings.ReplaceAll(handler, "RUNTIME", "provided.al2023")
	built := strings.ReplaceAll(strings.ReplaceAll(text, "template.yaml", ".aws-sam/build/template.yaml"), "CodeUri: src", "CodeUri: Fn")
	dir := files(t, txtar.Parse([]byte(text+"-- src/go.mod --\nmodule fn\n\ngo 1.21\n-- src/main.go --\n"+
		"package main\n\nfunc main() {}\n"+built+"-- .aws-sam/build/Fn/bootstrap --\n\x7fELF of another machine\n")))
	s, _ := load(t, stack.Options{Dir: dir})
	if f := s.Function("Fn"); f.Source != filepath.Join(dir, "src") {
		t.Errorf("the function is built from %s", f.Source)
	}
}
