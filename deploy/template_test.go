package deploy

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/tools"
)

// template is deploy/template.yaml as it is written: of !Ref and the like the value is left.
type template struct {
	Metadata   map[string]any `yaml:"Metadata"`
	Parameters map[string]struct {
		Description string `yaml:"Description"`
		Default     any    `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]resource `yaml:"Resources"`
	Outputs   map[string]any      `yaml:"Outputs"`
}

type resource struct {
	Type                string         `yaml:"Type"`
	Condition           string         `yaml:"Condition"`
	DeletionPolicy      string         `yaml:"DeletionPolicy"`
	UpdateReplacePolicy string         `yaml:"UpdateReplacePolicy"`
	DependsOn           []string       `yaml:"DependsOn"`
	Properties          map[string]any `yaml:"Properties"`
}

func read(t *testing.T) *template {
	t.Helper()
	var read template
	text, err := os.ReadFile("template.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &read
}

// of gives the properties of all resources of a type, by logical id.
func (t *template) of(kind string) map[string]map[string]any {
	found := map[string]map[string]any{}
	for id, r := range t.Resources {
		if r.Type == kind {
			found[id] = r.Properties
		}
	}
	return found
}

// at follows keys into maps; the end of the way is nil where there is none.
func at(value any, keys ...string) any {
	for _, key := range keys {
		m, _ := value.(map[string]any)
		value = m[key]
	}
	return value
}

// The API has the routes of the chat's route table, no more and no fewer, all with an integration.
func TestTemplate_Routes(t *testing.T) {
	var got []string
	for id, r := range read(t).of("AWS::ApiGatewayV2::Route") {
		got = append(got, r["RouteKey"].(string))
		if r["Target"] != "integrations/${ChatIntegration}" {
			t.Errorf("%s has the target %v", id, r["Target"])
		}
	}
	want := append(chatapi.Actions(), "$connect", "$disconnect", "$default")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("routes\n%v, want those of the route table\n%v", got, want)
	}
}

// The stage comes after all routes, as in what SAM makes of an AWS::Serverless::WebSocketApi: the first
// deployment of an API without routes fails.
func TestTemplate_StageComesLast(t *testing.T) {
	tmpl := read(t)
	var routes []string
	for id := range tmpl.of("AWS::ApiGatewayV2::Route") {
		routes = append(routes, id)
	}
	before := tmpl.Resources["Stage"].DependsOn
	slices.Sort(routes)
	slices.Sort(before)
	if !slices.Equal(before, routes) {
		t.Errorf("the stage depends on\n%v, want all routes\n%v", before, routes)
	}
}

// At most 14 parameters, each explained, with a default and in a group.
func TestTemplate_Parameters(t *testing.T) {
	tmpl := read(t)
	var grouped []string
	groups, _ := at(tmpl.Metadata, "AWS::CloudFormation::Interface", "ParameterGroups").([]any)
	for _, g := range groups {
		names, _ := at(g, "Parameters").([]any)
		for _, name := range names {
			grouped = append(grouped, name.(string))
		}
	}
	var all []string
	for name, p := range tmpl.Parameters {
		all = append(all, name)
		if p.Description == "" || p.Default == nil {
			t.Errorf("%s has no description or no default: %+v", name, p)
		}
	}
	slices.Sort(all)
	slices.Sort(grouped)
	if len(all) > 14 || !slices.Equal(all, grouped) {
		t.Errorf("%d parameters %v, in groups %v: want at most 14, each in a group", len(all), all, grouped)
	}
}

// Linters know no names of runtimes: a wrong one fails when it is deployed.
func TestTemplate_Functions(t *testing.T) {
	tmpl := read(t)
	functions := tmpl.of("AWS::Serverless::Function")
	if len(functions) != 2 {
		t.Errorf("%d functions, want the chat and the authorizer", len(functions))
	}
	runtimes := []string{"provided.al2023"} // Lambda Developer Guide, "Lambda runtimes"
	for id, f := range functions {
		if !slices.Contains(runtimes, f["Runtime"].(string)) {
			t.Errorf("%s: runtime %v is none of %v", id, f["Runtime"], runtimes)
		}
		if f["CodeUri"] != "build/confab-lambda.zip" {
			t.Errorf("%s: code is %v, want what make lambda makes", id, f["CodeUri"])
		}
		if seconds, _ := f["Timeout"].(int); seconds < 1 || seconds > 29 {
			t.Errorf("%s: API Gateway waits 29 s, the function %v", id, f["Timeout"])
		}
	}
	for id, log := range tmpl.of("AWS::Logs::LogGroup") {
		if log["RetentionInDays"] == nil {
			t.Errorf("%s keeps logs for ever", id)
		}
	}
	if environment := at(functions["Authorizer"], "Environment", "Variables", "CONFAB_TABLE"); environment != nil {
		t.Errorf("the authorizer knows the table: %v", environment)
	}
}

// What strangers can cost has bounds: the stage's rate, both functions' share of the account where a
// parameter says so, and how long tasks that a flood has held up are made up for.
func TestTemplate_FloodsAreBounded(t *testing.T) {
	tmpl := read(t)
	for id, stage := range tmpl.of("AWS::ApiGatewayV2::Stage") {
		for _, limit := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
			n, _ := at(stage, "DefaultRouteSettings", limit).(int)
			if n < 1 || n > 1000 {
				t.Errorf("%s: %s is %d: an account's default is 10,000", id, limit, n)
			}
		}
	}
	functions := tmpl.of("AWS::Serverless::Function")
	for id, f := range functions {
		got := texts(f["ReservedConcurrentExecutions"])
		if want := []string{"Reserves", "ReservedConcurrency", "AWS::NoValue"}; !slices.Equal(got, want) {
			t.Errorf("%s: reserved concurrency is %v, want %v", id, got, want)
		}
	}
	// Lambda's default is 6 h (Developer Guide, "Configuring error handling settings for asynchronous
	// invocations").
	age, _ := at(functions["Chat"], "EventInvokeConfig", "MaximumEventAgeInSeconds").(int)
	if age < 60 || age > 900 {
		t.Errorf("tasks wait up to %d s", age)
	}
}

// A table is not lost with its stack.
func TestTemplate_Retain(t *testing.T) {
	table := read(t).Resources["Table"]
	if table.DeletionPolicy != "Retain" || table.UpdateReplacePolicy != "Retain" {
		t.Errorf("the table is %q on deletion and %q on replacement, want Retain", table.DeletionPolicy,
			table.UpdateReplacePolicy)
	}
}

// statement is one of a role's or a policy's.
type statement struct {
	holder, effect     string
	actions, resources []string
}

// statements gives those of all roles and policies.
func (t *template) statements() (all []statement) {
	add := func(holder string, document any) {
		list, _ := at(document, "Statement").([]any)
		for _, s := range list {
			all = append(all, statement{
				holder, at(s, "Effect").(string), texts(at(s, "Action")), texts(at(s, "Resource")),
			})
		}
	}
	for id, role := range t.of("AWS::IAM::Role") {
		policies, _ := role["Policies"].([]any)
		for _, p := range policies {
			add(id, at(p, "PolicyDocument"))
		}
	}
	for id, policy := range t.of("AWS::IAM::Policy") {
		add(id, policy["PolicyDocument"])
	}
	return all
}

// texts gives a text or a list of texts as a list.
func texts(value any) (list []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			list = append(list, texts(one)...)
		}
	}
	return list
}

// wildcards are the only resources that end in more than one thing: all connections of the stage,
// whose ids nobody knows before.
var wildcards = []string{
	"arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/production/*/@connections/*",
}

// Roles have the rights that the functions use, on this stack's own resources.
func TestTemplate_LeastPrivilege(t *testing.T) {
	tmpl := read(t)
	all := tmpl.statements()
	if len(all) < 5 {
		t.Fatalf("only %d statements were found", len(all))
	}
	for _, s := range all {
		for _, action := range s.actions {
			if strings.Contains(action, "*") {
				t.Errorf("%s may do %s", s.holder, action)
			}
			if s.holder == "AuthorizerRole" && !strings.HasPrefix(action, "logs:") {
				t.Errorf("the authorizer may do %s, want logs alone", action)
			}
		}
		for _, resource := range s.resources {
			if strings.Contains(resource, "*") && !slices.Contains(wildcards, resource) {
				t.Errorf("%s: resource %s", s.holder, resource)
			}
		}
		if len(s.actions) == 0 || len(s.resources) == 0 || s.effect != "Allow" {
			t.Errorf("a statement of %s says nothing: %+v", s.holder, s)
		}
	}
	for id, role := range tmpl.of("AWS::IAM::Role") {
		if role["ManagedPolicyArns"] != nil {
			t.Errorf("%s has rights of a policy that others change", id)
		}
	}
}

// Alarms cost, and need somebody to tell: there are none without a topic.
func TestTemplate_AlarmsAreOff(t *testing.T) {
	tmpl := read(t)
	found := 0
	for id, r := range tmpl.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		if found++; !strings.HasPrefix(r.Condition, "Alarms") {
			t.Errorf("%s is there without a topic", id)
		}
	}
	if found == 0 {
		t.Error("there are no alarms at all")
	}
}

func TestTemplate_Outputs(t *testing.T) {
	tmpl := read(t)
	line, _ := at(tmpl.Outputs, "Wscat", "Value").([]any)
	if len(line) != 3 || !strings.HasPrefix(line[2].(string), "npx wscat -c ") {
		t.Errorf("outputs have no ready wscat line: %v", line)
	}
}

// The linters that people use find nothing, and do find something in what is wrong.
func TestTemplate_Lint(t *testing.T) {
	t.Parallel()
	t.Run("cfn-lint", func(t *testing.T) {
		t.Parallel()
		tools.Lint(t, nil, "template.yaml", "account-logging.yaml")
	})
	t.Run("sam validate", func(t *testing.T) {
		t.Parallel()
		tools.Lint(t, func(t *testing.T, files ...string) *exec.Cmd {
			cmd := exec.CommandContext(t.Context(), tools.Path(t, "sam/bin/sam"), "validate", "--lint",
				"--region", "us-east-1", "-t", files[0])
			cmd.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "HOME="+t.TempDir())
			return cmd
		}, "template.yaml")
	})
}
