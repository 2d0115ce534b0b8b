package testenv

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/internal/meter"
	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/internal/testissuer"
	"github.com/confab-chat/confab/internal/tools"
	"github.com/confab-chat/confab/stack"
	"github.com/confab-chat/confab/store/dynamostore"
)

// deployed is the folder of deployment, for Clean.
var deployed string

// Clean removes what was built for rehearsals; for the TestMain of packages that run them.
func Clean() {
	if deployed != "" {
		_ = os.RemoveAll(deployed)
	}
}

// deployment is a folder with the template of the deployment and the archive of its functions, for
// this machine's processor; built once for a test binary and never changed.
var deployment = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "confab-rehearsal-")
	if err != nil {
		return "", err
	}
	deployed = folder
	text, err := os.ReadFile(filepath.Join(tools.Root(), "deploy", "template.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "template.yaml"), text, 0o600)
	}
	if err != nil {
		return folder, err
	}
	return folder, Pack(filepath.Join(folder, "build"))
})

// Pack makes the archive of the functions for this machine's processor, as make lambda does.
func Pack(folder string) error {
	build := exec.Command("go", "run", "./internal/release", "-lambda", runtime.GOARCH, "-out", folder)
	build.Dir, build.Stderr = tools.Root(), os.Stderr
	return build.Run()
}

// rehearsalConcurrency is more than the events that the tests have under way at once: an event goes on
// after its sender has got the acknowledgement.
const rehearsalConcurrency = 300

// startRehearsal runs the deployment as `confab run` does: the real archive in processes of its own,
// behind a Runtime API, with tables in DynamoDB Local. Gateways, DoubleOneIn and the like have no
// meaning for it.
func startRehearsal(tb testing.TB, e *Env, o Options) {
	tb.Helper()
	folder, err := deployment()
	if err != nil {
		tb.Fatal(err)
	}
	engine := dynamolocal.Start(tb)
	tables := engine
	if o.Metered {
		tables = startMeter(tb, e, engine)
	}
	name := "confab-" + unique()
	faults := o.Faults.start(tb, e, engine)
	if faults.tables != "" {
		tables = faults.tables
	}
	runner, err := rehearsal.Start(tb.Context(), rehearsal.Config{
		Stack: stack.Options{
			Template: filepath.Join(folder, "template.yaml"), StackName: name,
			Parameters: parameters(o),
		},
		EnvVars: variables(tb, o, faults.posts), Tables: rehearsal.Tables{URL: tables}, Out: o.Log,
		Concurrency: rehearsalConcurrency, Freeze: faults.freeze, Deliver: faults.deliver,
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.URLs, e.ResumeMax, e.stack = runner.URLs(), coldResumeMax, name
	faults.aim(e.URLs[0])
	e.Log, e.Connections = rehearsalStore(engine, runner, o)
	ctx, cancel := context.WithCancel(context.Background())
	var sweeper sync.WaitGroup
	if !o.Metered {
		sweeper.Go(func() { sweepRehearsal(ctx, tb, runner, o.Faults != nil) })
	}
	e.Usage, e.AccessKey = runner.Usage, runner.AccessKey
	e.Endpoint = runner.Output("Endpoint")
	e.Invoke = func(payload []byte) ([]byte, error) { return runner.Invoke(tb.Context(), "Chat", payload) }
	e.stop = append(e.stop, func() {
		cancel()
		sweeper.Wait()
		if err := runner.Close(); err != nil {
			tb.Errorf("end the rehearsal: %v", err)
		}
	})
}

// StartTemplate runs the template of a folder, metered, until the test ends: functions in Go, Node.js
// and Python. The folder gets a link to the packages of Node.js that Lambda's runtime has. Region is
// that of the stack, "" the default.
func StartTemplate(tb testing.TB, folder, region string) *Env {
	tb.Helper()
	err := os.Symlink(tools.Path(tb, "node/node_modules"), filepath.Join(folder, "node_modules"))
	if err != nil {
		tb.Fatal(err)
	}
	e := &Env{Host: "rehearsal"}
	tb.Cleanup(e.Stop)
	runner, err := rehearsal.Start(tb.Context(), rehearsal.Config{
		Stack: stack.Options{Dir: folder, StackName: "template-" + unique(), Region: region},
		Node:  tools.Program(tb, "node"), Python: tools.Path(tb, "python/bin/python3"),
		Tables: rehearsal.Tables{URL: startMeter(tb, e, dynamolocal.Start(tb))},
	})
	if err != nil {
		tb.Fatal(err)
	}
	e.URLs, e.Usage, e.AccessKey = runner.URLs(), runner.Usage, runner.AccessKey
	e.stop = append(e.stop, func() {
		if err := runner.Close(); err != nil {
			tb.Errorf("end the rehearsal: %v", err)
		}
	})
	return e
}

// startMeter puts a meter before the engine, and gives its URL.
func startMeter(tb testing.TB, e *Env, engine string) string {
	tb.Helper()
	behind, err := url.Parse(engine)
	if err != nil {
		tb.Fatal(err)
	}
	e.Meter = meter.New(behind, nil)
	server := httptest.NewServer(e.Meter)
	e.stop = append(e.stop, func() {
		server.Close()
		e.Meter.Close()
	})
	return server.URL
}

// unique is another text each time.
func unique() string {
	return strings.ToLower(strconv.FormatInt(time.Now().UnixNano(), 36)) + fmt.Sprint(os.Getpid())
}

// parameters are the template's.
func parameters(o Options) map[string]string {
	p := map[string]string{"AllowedOrigins": strings.Join(o.AllowedOrigins, ",")}
	if runtime.GOARCH == "amd64" {
		p["Architecture"] = "x86_64"
	}
	if o.Dialect != "" {
		p["Dialect"] = o.Dialect
	}
	if o.Metered { // the schedule would be in some figures, once a minute
		p["Sweep"] = "off"
	}
	if o.Issuer != "" { // the template wants https
		p["Issuer"], p["Audience"] = "https://issuer.example", testissuer.ClientID
	}
	return p
}

// variables is a file of what the template has no parameters for. The endpoint is where functions post
// to, "" for the stage itself.
func variables(tb testing.TB, o Options, endpoint string) string {
	tb.Helper()
	chat := map[string]string{
		"CONFAB_RATE": strconv.Itoa(o.Rate), "CONFAB_BURST": strconv.Itoa(o.Burst),
	}
	if endpoint != "" {
		chat["CONFAB_ENDPOINT"] = endpoint
	}
	all := map[string]map[string]string{"Chat": chat}
	if o.Issuer != "" {
		chat["CONFAB_ISSUER"] = o.Issuer
		all["Authorizer"] = map[string]string{"CONFAB_ISSUER": o.Issuer}
	}
	text, err := json.Marshal(all)
	file := filepath.Join(tb.TempDir(), "variables.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func rehearsalStore(engine string, runner *rehearsal.Runner, o Options) (chat.Log, chat.Connections) {
	s := dynamostore.New(dynamolocal.Client(engine), dynamostore.Options{
		Table: runner.Output("TableName"), Rate: o.Rate, Burst: o.Burst,
		Lease: lease, SilentLease: silentLease, Budget: patience,
	})
	return s, s
}

// sweepRehearsal invokes the function as the template's schedule does, every second besides its
// minute. Where there are faults it may fail.
func sweepRehearsal(ctx context.Context, tb testing.TB, runner *rehearsal.Runner, faults bool) {
	for chatapi.Sleep(ctx, time.Second) == nil {
		_, err := runner.Invoke(ctx, "Chat", []byte(`{"kind":"sweep"}`))
		if err != nil && ctx.Err() == nil && !faults {
			tb.Errorf("sweep: %v", err)
		}
	}
}
