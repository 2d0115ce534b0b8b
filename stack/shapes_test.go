package stack_test

import (
	"archive/zip"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/gateway"
	"github.com/confab-chat/confab/stack"
)

// shape is a template as one of the usual tools writes it, and what it says.
type shape struct {
	routes  map[string]string // logical id of the function by route key; "": a mock
	stage   string
	env     map[string]map[string]string // by logical id; API stands for the id of the API
	outputs map[string]string
	file    string // the template, in the project
	// What a connection hears, in order.
	query     string
	exchanges [][2]string
}

// shapes are the archives in testdata.
var shapes = map[string]shape{
	"raw": {
		file: "template.yaml", stage: "dev",
		routes: map[string]string{"$connect": "Notes", "note": "Notes", "$default": ""},
		env: map[string]map[string]string{"Door": {}, "Notes": {
			"TABLE": "board-dev", "TABLE_ARN": "arn:aws:dynamodb:us-east-1:000000000000:table/board-dev",
			"INDEX": "byTime", "AUDIT": "none", "PRESENT": "x", "ZONE": "south", "ALL_ZONES": "north+south",
			"LAST": "c", "ENCODED": "aGVsbG8=", "LITERAL": "${Api} of dev",
			"ENDPOINT": "https://API.execute-api.us-east-1.amazonaws.com/dev",
			"SOCKETS":  "wss://API.execute-api.us-east-1.amazonaws.com",
		}},
		outputs: map[string]string{"Url": "wss://API.execute-api.us-east-1.amazonaws.com/dev"},
		query:   "?token=open",
		exchanges: [][2]string{
			{`{"action":"note"}`, `{"route":"note","greeting":"hello","table":"board-dev"}`},
			{`anything`, `{"said":"nothing","stage":"dev"}`},
		},
	},
	"sam": {
		file: "template.yaml", stage: "live",
		routes: map[string]string{"$connect": "OpenFunction", "takeSeat": "TakeFunction"},
		env: map[string]map[string]string{
			"OpenFunction": {"TABLE": "seats-Seats", "MODE": "all"},
			"TakeFunction": {"TABLE": "seats-Seats", "MODE": "take", "LIMIT": "7", "STAGE": "live"},
		},
		outputs: map[string]string{
			"Url":     "wss://API.execute-api.eu-west-1.amazonaws.com/live",
			"RoleArn": "arn:aws:iam::000000000000:role/seats-TakeFunctionRole",
		},
		exchanges: [][2]string{{
			`{"action":"takeSeat","seat":34}`,
			`{"seat": 34, "row": 3, "mode": "take", "limit": "7", "version": "1"}`,
		}},
	},
	"cdk": {
		file: "cdk.out/ScoreStack.template.json", stage: "prod",
		routes: map[string]string{"$connect": "ListedByManifest1B2C3D4E", "score": "Handler886CB40B"},
		env: map[string]map[string]string{
			"Handler886CB40B":          {"TABLE": "notes-ScoresTableD1F2A3B4"},
			"ListedByManifest1B2C3D4E": {},
			"OfVersion1AA55BB66":       {},
		},
		outputs:   map[string]string{"Url": "wss://API.execute-api.us-east-1.amazonaws.com/prod"},
		exchanges: [][2]string{{`{"action":"score","score":41}`, `{"table":"notes-ScoresTableD1F2A3B4","score":42}`}},
	},
	"serverless": {
		file: ".serverless/cloudformation-template-update-stack.json", stage: "dev",
		routes: map[string]string{"$default": "PingLambdaFunction"},
		env:    map[string]map[string]string{"PingLambdaFunction": {}},
		outputs: map[string]string{
			"ServiceEndpointWebsocket":       "wss://API.execute-api.us-east-1.amazonaws.com/dev",
			"PingLambdaFunctionQualifiedArn": "arn:aws:lambda:us-east-1:000000000000:function:pings-dev-ping:1",
		},
		exchanges: [][2]string{{`ball`, `pong ball`}},
	},
}

// newShape writes a shape's project and loads it.
func newShape(t *testing.T, name string) (*stack.Stack, []stack.Diagnostic) {
	t.Helper()
	dir := project(t, name)
	if name == "serverless" {
		pack(t, filepath.Join(dir, ".serverless", "pings.zip"), filepath.Join(dir, "service"))
	}
	return load(t, stack.Options{Dir: dir})
}

// pack makes an archive of a folder.
func pack(tb testing.TB, name, dir string) {
	tb.Helper()
	f, err := os.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
}

// TestGW99_Shapes loads templates in the shapes of public repositories, found where their tools put
// them, and finds every reference resolved.
func TestGW99_Shapes(t *testing.T) {
	t.Parallel()
	for name, want := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, diagnostics := newShape(t, name)
			for _, d := range diagnostics {
				if d.Severity != stack.Info && !strings.Contains(d.Text, "a bucket does not run here") {
					t.Errorf("unexpected: %s", d)
				}
			}
			if got, err := filepath.Rel(s.Dir, s.File); err != nil || filepath.ToSlash(got) != want.file {
				t.Errorf("the template is %s, want %s", got, want.file)
			}
			if len(s.APIs) != 1 || len(s.APIs[0].Stages) != 1 {
				t.Fatalf("there are %d APIs", len(s.APIs))
			}
			api := s.APIs[0]
			if !regexp.MustCompile(`^[a-z0-9]{10}$`).MatchString(api.ID) {
				t.Errorf("the API's id is %q", api.ID)
			}
			stage := api.Stages[0]
			routes := map[string]string{}
			for _, r := range stage.Routes {
				if routes[r.Key] = ""; r.Mock == nil {
					routes[r.Key] = r.Function.LogicalID
				}
			}
			if diff := cmp.Diff(want.routes, routes); diff != "" || stage.Name != want.stage {
				t.Errorf("stage %s, routes (-want +got):\n%s", stage.Name, diff)
			}
			checkValues(t, s, want)
		})
	}
}

// checkValues compares what the references of a shape have become.
func checkValues(t *testing.T, s *stack.Stack, want shape) {
	t.Helper()
	id := strings.NewReplacer(s.APIs[0].ID, "API")
	env := map[string]map[string]string{}
	for _, f := range s.Functions {
		env[f.LogicalID] = map[string]string{}
		for name, value := range f.Lambda.Env {
			env[f.LogicalID][name] = id.Replace(value)
		}
	}
	outputs := map[string]string{}
	for _, o := range s.Outputs {
		outputs[o.Name] = id.Replace(o.Value)
	}
	if diff := cmp.Diff(want.env, env); diff != "" {
		t.Errorf("environments (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.outputs, outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

// TestGW99_ShapesAnswer runs the handlers of the same templates behind their APIs.
func TestGW99_ShapesAnswer(t *testing.T) {
	t.Parallel()
	for name, want := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newShape(t, name)
			_, url := deploy(t, s, stack.Target{})
			c, status := dial(t, url+"/"+want.stage+want.query)
			if status != 101 {
				t.Fatalf("the handshake is answered %d", status)
			}
			for _, e := range want.exchanges {
				if got := ask(t, c, e[0]); got != e[1] {
					t.Errorf("%s is answered %s, want %s", e[0], got, e[1])
				}
			}
		})
	}
}

// TestLoad_Raw checks the parts of the raw shape that have no value in an environment.
func TestLoad_Raw(t *testing.T) {
	t.Parallel()
	s, _ := load(t, stack.Options{Dir: project(t, "raw")})
	notes, stage := s.Function("Notes"), s.APIs[0].Stages[0]
	if notes.Lambda.MemoryMB != 256 || notes.Name != "notes-Notes" {
		t.Errorf("Notes is %s with %d MB", notes.Name, notes.Lambda.MemoryMB)
	}
	byKey := map[string]*stack.Route{}
	for _, r := range stage.Routes {
		byKey[r.Key] = r
	}
	connect, note := byKey["$connect"], byKey["note"]
	if a := connect.Authorizer; a == nil || a.Function != s.Function("Door") ||
		!cmp.Equal(a.IdentitySources, []string{"route.request.querystring.token"}) {
		t.Errorf("the authorizer of $connect is %+v", a)
	}
	if connect.Response || !note.Response || note.Timeout.Seconds() != 28 {
		t.Errorf("$connect is %+v, note %+v", connect, note)
	}
	if note.Throttle != (gateway.Throttle{Rate: 5, Burst: 7}) || stage.Throttle != (gateway.Throttle{Rate: 50, Burst: 100}) {
		t.Errorf("throttles are %v, %v", note.Throttle, stage.Throttle)
	}
	if stage.AccessLog != "$context.requestId $context.routeKey $context.status" ||
		!maps.Equal(stage.Variables, map[string]string{"greeting": "hello"}) {
		t.Errorf("access log %q, variables %v", stage.AccessLog, stage.Variables)
	}
	if len(s.Tables) != 1 || s.Tables[0].Name != "board-dev" || s.Tables[0].TTL != "expires" {
		t.Errorf("tables are %+v", s.Tables)
	}

	prod, _ := load(t, stack.Options{Dir: s.Dir, Parameters: map[string]string{"Env": "prod", "Guard": "no"}})
	env := prod.Function("Notes").Lambda.Env
	_, absent := env["ABSENT"]
	if len(prod.Tables) != 2 || env["AUDIT"] != "notes-Audit" || absent || prod.Function("Notes").Lambda.MemoryMB != 1024 {
		t.Errorf("with Env=prod there are %d tables, and %v", len(prod.Tables), env)
	}
}

// TestDeployment_Authorizer has the raw shape's authorizer decide.
func TestDeployment_Authorizer(t *testing.T) {
	t.Parallel()
	s, _ := load(t, stack.Options{Dir: project(t, "raw")})
	_, url := deploy(t, s, stack.Target{})
	for query, want := range map[string]int{"": 401, "?token=shut": 403, "?token=none": 401, "?token=open": 101} {
		if _, got := dial(t, url+"/dev"+query); got != want {
			t.Errorf("/dev%s is answered %d, want %d", query, got, want)
		}
	}
}
