package examples

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/confab-chat/confab/internal/tools"
)

// What stands for an account in the tests.
const (
	apiID     = "a1b2c3d4e5"
	region    = "us-east-1"
	accountID = "000000000000"
)

// folder is where an example lives.
func folder(name string) string { return filepath.Join(tools.Root(), "examples", "seeds", name) }

// template is an example's template.yaml.
type template struct {
	tb        testing.TB
	dir       string
	Globals   struct{ Function map[string]any }
	Resources map[string]resource
	tables    map[string]string // by logical id, the tables that the test has made
}

// resource is one entry of Resources.
type resource struct {
	Type       string
	DependsOn  []string
	Properties map[string]any
}

// load reads a template.
func load(tb testing.TB, name string) *template {
	tb.Helper()
	script, err := filepath.Abs("testdata/template.py")
	if err != nil {
		tb.Fatal(err)
	}
	tm := &template{tb: tb, dir: folder(name), tables: map[string]string{}}
	cmd := exec.CommandContext(tb.Context(), tools.Path(tb, "cfnlint/bin/python3"), script, "template.yaml")
	cmd.Dir = tm.dir
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("read %s: %v", name, err)
	}
	if err := json.Unmarshal(out, tm); err != nil {
		tb.Fatalf("read %s: %v", name, err)
	}
	return tm
}

// ids lists the resources of the types, ascending.
func (tm *template) ids(types ...string) []string {
	var list []string
	for _, id := range slices.Sorted(maps.Keys(tm.Resources)) {
		if slices.Contains(types, tm.Resources[id].Type) {
			list = append(list, id)
		}
	}
	return list
}

// only gives the resource that alone has one of the types.
func (tm *template) only(types ...string) (id string, r resource) {
	tm.tb.Helper()
	ids := tm.ids(types...)
	if len(ids) != 1 {
		tm.tb.Fatalf("%s has %d resources of %v, want 1", tm.dir, len(ids), types)
	}
	return ids[0], tm.Resources[ids[0]]
}

// text resolves a value that must come out as a string.
func (tm *template) text(v any) string {
	tm.tb.Helper()
	s, ok := tm.resolve(v).(string)
	if !ok {
		tm.tb.Fatalf("%s: %v is no text", tm.dir, v)
	}
	return s
}

// resolve replaces the intrinsic functions in a value.
func (tm *template) resolve(v any) any {
	tm.tb.Helper()
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = tm.resolve(v[i])
		}
		return list
	case map[string]any:
		for name, argument := range v {
			if name == "Ref" || strings.HasPrefix(name, "Fn::") {
				return tm.call(name, argument)
			}
		}
		all := map[string]any{}
		for name := range v {
			all[name] = tm.resolve(v[name])
		}
		return all
	}
	return v
}

// variable is a reference in the text of Fn::Sub.
var variable = regexp.MustCompile(`\$\{([\w:.]+)\}`)

// call is resolve of one intrinsic function.
func (tm *template) call(name string, argument any) string {
	tm.tb.Helper()
	list, _ := argument.([]any)
	s, _ := argument.(string)
	switch {
	case name == "Ref":
		return tm.ref(s)
	case name == "Fn::GetAtt":
		return tm.attribute(tm.text(list[0]), tm.text(list[1]))
	case name == "Fn::Join":
		var parts []string
		for _, part := range list[1].([]any) {
			parts = append(parts, tm.text(part))
		}
		return strings.Join(parts, list[0].(string))
	case name == "Fn::Sub" && s != "":
		return variable.ReplaceAllStringFunc(s, func(found string) string {
			id, attribute, ok := strings.Cut(variable.FindStringSubmatch(found)[1], ".")
			if ok {
				return tm.attribute(id, attribute)
			}
			return tm.ref(id)
		})
	}
	tm.tb.Fatalf("%s uses %s, which this test does not know", tm.dir, name)
	return ""
}

// ref is what Ref of a resource or pseudo parameter gives.
func (tm *template) ref(id string) string {
	tm.tb.Helper()
	pseudo := map[string]string{
		"AWS::Region": region, "AWS::AccountId": accountID, "AWS::Partition": "aws",
		"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "example",
	}
	if value, ok := pseudo[id]; ok {
		return value
	}
	r, ok := tm.Resources[id]
	switch {
	case !ok:
		tm.tb.Fatalf("%s has no %s", tm.dir, id)
	case strings.HasSuffix(r.Type, "::Api"), strings.HasSuffix(r.Type, "::WebSocketApi"):
		return apiID
	case tm.tables[id] != "":
		return tm.tables[id]
	}
	return id
}

// attribute is what Fn::GetAtt gives.
func (tm *template) attribute(id, name string) string {
	tm.tb.Helper()
	if name != "Arn" {
		tm.tb.Fatalf("%s uses %s.%s, which this test does not know", tm.dir, id, name)
	}
	service := map[bool]string{true: "dynamodb", false: "lambda"}[tm.tables[id] != ""]
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, region, accountID, tm.ref(id))
}

// stage gives the name of the only stage.
func (tm *template) stage() string {
	_, r := tm.only("AWS::ApiGatewayV2::Stage", "AWS::Serverless::WebSocketApi")
	return tm.text(r.Properties["StageName"])
}

// routes gives the logical id of the function behind each route key, and checks that AWS would find
// the way there.
func (tm *template) routes() map[string]string {
	tm.tb.Helper()
	routes := map[string]string{}
	if ids := tm.ids("AWS::Serverless::WebSocketApi"); len(ids) == 1 {
		for key, route := range tm.Resources[ids[0]].Properties["Routes"].(map[string]any) {
			arn := tm.text(route.(map[string]any)["FunctionArn"])
			routes[key] = arn[strings.LastIndex(arn, ":")+1:]
		}
		return routes
	}
	deployment, r := tm.only("AWS::ApiGatewayV2::Deployment")
	_, stage := tm.only("AWS::ApiGatewayV2::Stage")
	if got := tm.text(stage.Properties["DeploymentId"]); got != deployment {
		tm.tb.Errorf("%s: the stage has the deployment %s, want %s", tm.dir, got, deployment)
	}
	for _, id := range tm.ids("AWS::ApiGatewayV2::Route") {
		if !slices.Contains(r.DependsOn, id) {
			tm.tb.Errorf("%s: the deployment does not depend on %s, and may miss it", tm.dir, id)
		}
		route := tm.Resources[id].Properties
		key := tm.text(route["RouteKey"])
		routes[key] = tm.target(key, tm.text(route["Target"]))
	}
	return routes
}

// target follows a route to its function.
func (tm *template) target(key, target string) string {
	tm.tb.Helper()
	integration := tm.Resources[strings.TrimPrefix(target, "integrations/")]
	uri := tm.text(integration.Properties["IntegrationUri"])
	arn, ok := strings.CutPrefix(uri, "arn:aws:apigateway:"+region+":lambda:path/2015-03-31/functions/")
	if !ok || integration.Properties["IntegrationType"] != "AWS_PROXY" {
		tm.tb.Fatalf("%s: the route %s leads to %s", tm.dir, key, uri)
	}
	arn = strings.TrimSuffix(arn, "/invocations")
	function := arn[strings.LastIndex(arn, ":")+1:]
	source := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", region, accountID, apiID, tm.stage(), key)
	if !slices.ContainsFunc(tm.ids("AWS::Lambda::Permission"), func(id string) bool {
		p := tm.Resources[id].Properties
		return tm.text(p["FunctionName"]) == function && p["Action"] == "lambda:InvokeFunction" &&
			p["Principal"] == "apigateway.amazonaws.com" && matches(tm.text(p["SourceArn"]), source)
	}) {
		tm.tb.Errorf("%s: API Gateway may not invoke %s for the route %s", tm.dir, function, key)
	}
	return function
}

// matches compares an ARN with a pattern in which * stands for anything.
func matches(pattern, arn string) bool {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^" + quoted + "$").MatchString(arn)
}
