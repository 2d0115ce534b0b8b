package stack_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/stack"
)

// small is a template with an API and a variable in its output.
const small = `Parameters:
  One: {Type: String, Default: a}
  Two: {Type: String, Default: b}
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: x, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
Outputs:
  Said: {Value: !Sub "WHO ${One} ${Two} ${AWS::StackName} ${AWS::Region}"}
`

// said loads the stack of a folder and gives its output.
func said(t *testing.T, o stack.Options) string {
	t.Helper()
	s, _ := load(t, o)
	return s.Outputs[0].Value
}

// TestLoad_Find looks for the template where tools write it, in the order of the documentation.
func TestLoad_Find(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "shop")
	asJSON := `{"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "x",` +
		`"ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}}},` +
		`"Outputs": {"Said": {"Value": "WHO"}}}`
	for _, c := range []struct{ file, text string }{ // the last one that is there is found
		{".serverless/cloudformation-template-update-stack.json", asJSON},
		{"cdk.out/S.template.json", asJSON},
		{"template.json", asJSON},
		{"template.yml", small},
		{"template.yaml", small},
		{".aws-sam/build/template.yaml", small},
	} {
		file := filepath.Join(dir, filepath.FromSlash(c.file))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(c.text, "WHO", c.file)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := said(t, stack.Options{Dir: dir}); !strings.HasPrefix(got, c.file) {
			t.Errorf("with %s there is found %s", c.file, got)
		}
	}
	for _, o := range []stack.Options{{Dir: dir}, {}} {
		o.Template = filepath.Join(dir, "template.yml")
		if got := said(t, o); got != "template.yml a b shop us-east-1" {
			t.Errorf("a template that is named says %s", got)
		}
	}
	built := filepath.Join(dir, ".aws-sam", "build", "template.yaml")
	if got := said(t, stack.Options{Template: built}); !strings.HasSuffix(got, " shop us-east-1") {
		t.Errorf("the template of a build says %s", got)
	}
	if _, _, err := stack.Load(stack.Options{Dir: t.TempDir()}); !errors.Is(err, stack.ErrNoTemplate) {
		t.Errorf("without any: %v", err)
	}
	two := files(t, txtar.Parse([]byte("-- cdk.out/A.template.json --\n"+asJSON+"\n-- cdk.out/B.template.json --\n"+asJSON)))
	if _, _, err := stack.Load(stack.Options{Dir: two}); err == nil || !strings.Contains(err.Error(), "name one of the templates with -t") {
		t.Errorf("with two: %v", err)
	}
}

// TestLoad_Age says when something has changed after the build.
func TestLoad_Age(t *testing.T) {
	t.Parallel()
	dir := files(t, txtar.Parse([]byte("-- .aws-sam/build/template.yaml --\n"+small+
		"-- src/app.py --\n-- node_modules/x/index.js --\n-- README.md --\n-- events/open.json --\n")))
	built := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	touch := func(name string, at time.Time) {
		if err := os.Chtimes(filepath.Join(dir, filepath.FromSlash(name)), at, at); err != nil {
			t.Fatal(err)
		}
	}
	touch(".aws-sam/build/template.yaml", built)
	touch("src/app.py", built.Add(-time.Hour))
	if _, diagnostics := load(t, stack.Options{Dir: dir}); len(diagnostics) > 0 {
		t.Errorf("nothing has changed:\n%s", lines(diagnostics))
	}
	touch("src/app.py", built.Add(time.Hour))
	_, diagnostics := load(t, stack.Options{Dir: dir})
	want := filepath.Join(dir, ".aws-sam", "build", "template.yaml") + ": warning: this build is older than " +
		filepath.Join(dir, "src", "app.py") + ": run `sam build`\n"
	if got := lines(diagnostics); got != want {
		t.Errorf("got %swant %s", got, want)
	}
}

// TestLoad_Samconfig takes what sam deploy would take, below what is given.
func TestLoad_Samconfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files string
		o     stack.Options
		want  string
	}{
		"none":      {"", stack.Options{}, "WHO a b notes us-east-1"},
		"text":      {"-- samconfig.toml --\n[default.deploy.parameters]\nparameter_overrides = 'One=x Two=\"y z\"'\n", stack.Options{}, "WHO x y z notes us-east-1"},
		"long form": {"-- samconfig.toml --\n[default.deploy.parameters]\nparameter_overrides = \"ParameterKey=One,ParameterValue=x ParameterKey=Two,ParameterValue=\\\"y\\\"\"\n", stack.Options{}, "WHO x y notes us-east-1"},
		"list":      {"-- samconfig.toml --\n[default.deploy.parameters]\nparameter_overrides = [\n  'One=x',\n  'Two=y',\n]\n", stack.Options{}, "WHO x y notes us-east-1"},
		"global":    {"-- samconfig.toml --\n[default.global.parameters]\nstack_name = 'shop'\nregion = 'eu-west-1'\n", stack.Options{}, "WHO a b shop eu-west-1"},
		"environment": {
			"-- samconfig.toml --\n[beta.deploy.parameters]\nparameter_overrides = 'One=x'\n",
			stack.Options{ConfigEnv: "beta"},
			"WHO x b notes us-east-1",
		},
		"yaml":  {"-- samconfig.yaml --\ndefault: {deploy: {parameters: {parameter_overrides: [One=x]}}}\n", stack.Options{}, "WHO x b notes us-east-1"},
		"given": {"-- samconfig.toml --\n[default.deploy.parameters]\nparameter_overrides = 'One=x Two=y'\n", stack.Options{Parameters: map[string]string{"Two": "z"}, StackName: "mine"}, "WHO x z mine us-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.o.Dir = files(t, txtar.Parse([]byte("-- template.yaml --\n"+small+c.files)))
			if got := said(t, c.o); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestLoad_Parameters refuses what CloudFormation refuses.
func TestLoad_Parameters(t *testing.T) {
	t.Parallel()
	for spec, given := range map[string][2]string{ // refused, taken
		"Type: Number":                                    {"x", "-1.5"},
		"Type: Number, MinValue: 2, MaxValue: 3":          {"4", "3"},
		"Type: String, MinLength: 2":                      {"é", "ée"},
		"Type: String, MaxLength: 1":                      {"ab", "a"},
		"Type: String, AllowedPattern: '[a-z]+'":          {"a1", "a"},
		"Type: String, AllowedValues: [a, b]":             {"c", "b"},
		"Type: List<Number>":                              {"1,x", "1, 2"},
		"Type: CommaDelimitedList, AllowedValues: [a, b]": {"a,c", "b,a"},
	} {
		text := strings.Replace(small, "Type: String, Default: a", spec, 1)
		dir := files(t, txtar.Parse([]byte("-- template.yaml --\n"+strings.ReplaceAll(text, "${One}", ""))))
		for i, value := range given {
			s, diagnostics, err := stack.Load(stack.Options{Dir: dir, Parameters: map[string]string{"One": value}})
			if refused := err != nil; refused != (i == 0) {
				t.Errorf("%s: %q: %v\n%s", spec, value, err, lines(diagnostics))
			}
			if err != nil && !strings.Contains(lines(diagnostics), "template.yaml:2:3: error: One: the parameter One cannot be") {
				t.Errorf("%s: %q: %s", spec, value, lines(diagnostics))
			}
			if s != nil {
				s.Close()
			}
		}
	}
}

// TestLoad_Broken loads what cannot be a template; each ends with a place and none with a panic.
func TestLoad_Broken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][2]string{
		"empty":               {"", "template.yaml:1:1: error: the file is empty"},
		"text":                {"hello", "this is no template: it has no Resources"},
		"list":                {"[]", "this is no template: it has no Resources"},
		"json, unfinished":    {"{\n  \"Resources\": {\n", "template.yaml:3:1: error: this is no JSON"},
		"json, missing comma": {"{\n  \"Resources\": {}\n  \"Outputs\": {}}", "template.yaml:3:"},
		"json, twice":         {"{\n \"Resources\": {},\n  \"Resources\": {}}", `template.yaml:3:3: error: "Resources" is here twice`},
		"json, reference": {
			"{\n \"Resources\": {\n  \"Q\": {\"Type\": \"AWS::ApiGatewayV2::Api\",\n\t\"Properties\": {\"ProtocolType\": {\"Ref\": \"No\"}}}}}",
			`template.yaml:4:41: error: Q: there is no resource or parameter "No"`,
		},
		"not utf-8":       {"Resources: \xff", "the file is no UTF-8"},
		"deep":            {strings.Repeat("[", 10_000), "template.yaml:1:"},
		"deep json":       {`{"a":` + strings.Repeat("[", 10_000), "template.yaml:1:"},
		"laughs":          {laughs(), "too many values"},
		"condition loop":  {"Conditions: {A: !Not [!Condition A]}\nResources: {X: {Type: A::B::C, Condition: A}}", "depends on itself"},
		"name loop":       {"Resources: {X: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Ref X}}}", "the name of X depends on itself"},
		"no type":         {"Resources:\n  X: {Properties: {}}", "template.yaml:2:3: error: X: the resource has no Type"},
		"transform":       {"Resources: {'Fn::ForEach::X': [a, [b], {}]}", "among the resources is not known here"},
		"no websocket":    {"Resources: {X: {Type: AWS::SQS::Queue}}", "the template has no WebSocket API"},
		"join without":    {"Resources: {X: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Join [a]}}}", "Fn::Join needs a list of 2"},
		"select beyond":   {"Resources: {X: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Select [3, [a]]}}}", "there is no item \"3\""},
		"map without key": {"Resources: {X: {Type: AWS::Lambda::Function, Properties: {FunctionName: !FindInMap [a, b, c]}}}", "the mappings have no \"a\" here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(c[0]), 0o600); err != nil {
				t.Fatal(err)
			}
			_, diagnostics, err := stack.Load(stack.Options{Dir: dir})
			if !errors.Is(err, stack.ErrTemplate) || !strings.Contains(lines(diagnostics), c[1]) {
				t.Errorf("Load: %v\n%swant %s", err, lines(diagnostics), c[1])
			}
		})
	}
}

// laughs is a small text whose aliases stand for a billion values.
func laughs() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		n := string(rune('0' + i))
		m := string(rune('1' + i))
		b.WriteString("a" + m + ": &a" + m + " [" + strings.Repeat("*a"+n+", ", 9) + "*a" + n + "]\n")
	}
	return b.String()
}

// TestLoad_SameIDs gives resources the same ids each time, and different ones to different stacks.
func TestLoad_SameIDs(t *testing.T) {
	t.Parallel()
	dir := files(t, txtar.Parse([]byte("-- template.yaml --\n"+small)))
	ids := map[string]string{}
	for _, name := range []string{"one", "one", "two"} {
		s, _ := load(t, stack.Options{Dir: dir, StackName: name})
		if have, ok := ids[name]; ok && have != s.APIs[0].ID {
			t.Errorf("%s is %s, then %s", name, have, s.APIs[0].ID)
		}
		ids[name] = s.APIs[0].ID
	}
	if ids["one"] == ids["two"] {
		t.Error("two stacks have the same id")
	}
}

// TestLoad_Sources names what a change of the stack would be in.
func TestLoad_Sources(t *testing.T) {
	t.Parallel()
	s, _ := load(t, stack.Options{Dir: project(t, "sam")})
	take := s.Function("TakeFunction").Lambda
	if n := len(take.Layers); n != 2 || filepath.Base(take.Layers[0]) != "layer" || filepath.Base(take.Layers[1]) != "extra" {
		t.Errorf("the layers are %v: SAM puts those of Globals first", take.Layers)
	}
	want := []string{"layer", "handlers", "extra", "template.yaml"}
	var got []string
	for _, path := range s.Sources {
		rel, err := filepath.Rel(s.Dir, path)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rel)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Sources (-want +got):\n%s", diff)
	}
}
