package lambdahost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/internal/tools"
)

// nodeFiles are the files of a function in JavaScript.
var nodeFiles = map[string]string{
	"esm.mjs": `
import fs from "node:fs";
export const named = async () => "named";
export const deep = { er: { handler: async () => "deeper" } };
export default async () => "default";
export const notFunction = 3;
export const answer = async (event) => event;
export const nothing = async () => {};
export const sync = () => "not awaited";
export const raises = async () => { throw new TypeError("no such room: größer"); };
export const raisesSync = () => { throw new RangeError("at once"); };
export const raisesText = async () => { throw "only a text"; };
export const circle = async () => { const a = {}; a.a = a; return a; };
export const big = async () => ({ n: 1n });
export const never = async () => { await new Promise(() => {}); };
export const exits = async () => process.exit(7);
export const rejects = async () => {
  Promise.reject(new Error("nobody caught it"));
  await new Promise((resolve) => setTimeout(resolve, 60000));
};
export const uncaught = async () => {
  setTimeout(() => { throw new Error("out of nowhere"); }, 1);
  await new Promise((resolve) => setTimeout(resolve, 60000));
};
export const logs = async () => {
  console.log("logged %d", 1, { a: "ü" }); console.warn("two\nlines"); console.error(new Error("x").message);
  console.debug("d"); console.trace("t"); process.stdout.write("raw\n");
};
export const context = async (event, context) => {
  const left = context.getRemainingTimeInMillis();
  return { ...context, left: left > 0 && left <= 60000, trace: process.env._X_AMZN_TRACE_ID };
};
`,
	"cjs.js": `
exports.named = async () => "cjs";
exports.callback = (event, context, callback) => { setTimeout(() => callback(null, { called: "back" }), 5); };
exports.failing = (event, context, callback) => { callback(new Error("failed")); };
exports.failingText = (event, context, callback) => { callback("failed"); };
exports.waits = (event, context, callback) => {
  let done = false;
  setTimeout(() => { done = true; }, 20);
  callback(null, { get done() { return done; } });
};
exports.hurries = (event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setInterval(() => {}, 1000);
  callback(null, "at once");
};
exports.silent = (event, context, callback) => {};
exports.succeeds = (event, context) => { context.succeed("well"); };
exports.fails = (event, context) => { context.fail(new Error("badly")); };
exports.done = (event, context) => { context.done(null, "done"); };
exports.twice = (event, context, callback) => { callback(null, 1); callback(null, 2); };
`,
	"plain.cjs":               `exports.named = async () => "plain cjs";`,
	"esm_in_js.js":            `export const named = async () => "es module";`,
	"syntax.js":               `exports.named = async () => {`,
	"require.js":              `require("no-such-package");`,
	"import.mjs":              `import "no-such-package";`,
	"throws.mjs":              `throw new Error("no table");`,
	"exit.mjs":                `process.exit(6);`,
	"sub/dir/mod.mjs":         `export const named = async () => "in a folder";`,
	"typed/package.json":      `{"type":"module"}`,
	"typed/index.js":          `export const named = async () => "typed";`,
	"node_modules/x/index.js": `exports.named = async () => "a package";`,
	"layered.mjs": `
import { createRequire } from "node:module";
import { name } from "esm-package";
const required = createRequire(import.meta.url)("cjs-package");
export const named = async () => name + " " + required;`,
}

// nodeCode writes the files into a folder.
func nodeCode(tb testing.TB, files map[string]string) string {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// outcomes gives what Node.js functions answer; runs of spaces stand for what is left out.
func TestNode(t *testing.T) {
	node := tools.Program(t, "node")
	dir := nodeCode(t, nodeFiles)
	j := newJournal()
	h := newHost(t, Config{Log: j.log, Node: node})
	for _, c := range []struct {
		runtime, handler string
		want             string // an answer, or type: message
	}{
		{"nodejs20.x", "esm.named", `"named"`},
		{"nodejs20.x", "esm.deep.er.handler", `"deeper"`},
		{"nodejs20.x", "esm.default", `"default"`},
		{"nodejs20.x", "esm.answer", `{"a":[1,"ü😀"]}`},
		{"nodejs20.x", "esm.nothing", `null`},
		{"nodejs20.x", "esm.sync", `null`},
		{"nodejs24.x", "esm.sync", `"not awaited"`},
		{"nodejs20.x", "esm.raises", `TypeError: no such room: größer`},
		{"nodejs24.x", "esm.raises", `TypeError: no such room: größer`},
		{"nodejs20.x", "esm.raisesSync", `RangeError: at once`},
		{"nodejs20.x", "esm.raisesText", `string: only a text`},
		{"nodejs20.x", "esm.circle", `Runtime.JSONStringifyError: Unable to stringify response body`},
		{"nodejs24.x", "esm.big", `Runtime.JSONStringifyError: Unable to stringify response body`},
		{"nodejs20.x", "esm.never", `null`},
		{"nodejs20.x", "esm.exits", `Runtime.ExitError: RequestId: one Error: Runtime exited with error: exit status 7`},
		{"nodejs20.x", "esm.rejects", `Runtime.UnhandledPromiseRejection: Error: nobody caught it`},
		{"nodejs20.x", "esm.uncaught", `Error: out of nowhere`},
		{"nodejs20.x", "esm.missing", `Runtime.HandlerNotFound: esm.missing is undefined or not exported`},
		{"nodejs20.x", "esm.notFunction", `Runtime.HandlerNotFound: esm.notFunction is not a function`},
		{"nodejs20.x", "esm", `Runtime.MalformedHandlerName: Bad handler`},
		{"nodejs20.x", "../esm.named", `Runtime.MalformedHandlerName: '../esm.named' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`},
		{"nodejs18.x", "cjs.named", `"cjs"`},
		{"nodejs22.x", "cjs.callback", `{"called":"back"}`},
		{"nodejs22.x", "cjs.failing", `Error: failed`},
		{"nodejs22.x", "cjs.failingText", `string: failed`},
		{"nodejs22.x", "cjs.waits", `{"done":true}`},
		{"nodejs22.x", "cjs.hurries", `"at once"`},
		{"nodejs22.x", "cjs.silent", `null`},
		{"nodejs22.x", "cjs.succeeds", `"well"`},
		{"nodejs22.x", "cjs.fails", `Error: badly`},
		{"nodejs22.x", "cjs.done", `"done"`},
		{"nodejs22.x", "cjs.twice", `1`},
		{"nodejs24.x", "cjs.callback", `Runtime.CallbackHandlerDeprecated: ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.`},
		{"nodejs20.x", "plain.named", `"plain cjs"`},
		{"nodejs18.x", "esm_in_js.named", `Runtime.UserCodeSyntaxError: SyntaxError: Unexpected token 'export'`},
		{"nodejs22.x", "esm_in_js.named", `Runtime.UserCodeSyntaxError: SyntaxError: Unexpected token 'export'`},
		{"nodejs20.x", "syntax.named", `Runtime.UserCodeSyntaxError: SyntaxError: Unexpected end of input`},
		{"nodejs20.x", "require.named", "Runtime.ImportModuleError: Error: Cannot find module 'no-such-package'"},
		{"nodejs20.x", "nowhere.named", "Runtime.ImportModuleError: Error: Cannot find module 'nowhere'"},
		{"nodejs20.x", "import.named", "Error: Cannot find package 'no-such-package' imported from "},
		{"nodejs20.x", "throws.named", `Error: no table`},
		{"nodejs20.x", "exit.named", `Runtime.ExitError: RequestId: one Error: Runtime exited with error: exit status 6`},
		{"nodejs20.x", "sub/dir/mod.named", `"in a folder"`},
		{"nodejs20.x", "typed/index.named", `"typed"`},
		{"nodejs20.x", "x.named", `"a package"`},
	} {
		t.Run(c.runtime+" "+c.handler, func(t *testing.T) {
			err := h.Deploy(Function{Name: "f", Runtime: c.runtime, Handler: c.handler, Code: dir, Timeout: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			out := end(t, begin(t, h, Input{RequestID: "one", Payload: []byte(`{"a":[1,"ü😀"]}`)}))
			got := string(out.Payload)
			if out.FunctionError != "" {
				first, _, _ := strings.Cut(message(out.Payload), "\n")
				got = errorType(out.Payload) + ": " + first
			}
			if strings.HasSuffix(c.want, " from ") { // a path
				got = got[:min(len(got), len(c.want))]
			}
			if got != c.want {
				t.Errorf("got %s\n%s", got, j.text())
			}
		})
	}
}

// Packages are found in layers and in the host's folders, by import and by require.
func TestNode_layers(t *testing.T) {
	node := tools.Program(t, "node")
	layer := nodeCode(t, map[string]string{
		"nodejs/node_modules/esm-package/package.json": `{"type":"module","exports":{"import":"./i.js","require":"./r.cjs"}}`,
		"nodejs/node_modules/esm-package/i.js":         `export const name = "from the layer";`,
		"nodejs/node_modules/esm-package/r.cjs":        `throw new Error("this is for require");`,
	})
	sdk := nodeCode(t, map[string]string{"node_modules/cjs-package/index.js": `module.exports = "and the runtime";`})
	h := newHost(t, Config{Node: node, NodePath: []string{filepath.Join(sdk, "node_modules")}})
	f := Function{
		Name: "f", Runtime: "nodejs20.x", Handler: "layered.named", Code: nodeCode(t, nodeFiles), Layers: []string{layer},
		Timeout: time.Minute,
	}
	if err := h.Deploy(f); err != nil {
		t.Fatal(err)
	}
	if out := end(t, begin(t, h, Input{})); string(out.Payload) != `"from the layer and the runtime"` {
		t.Errorf("%s", out.Payload)
	}
}

func TestNode_context(t *testing.T) {
	h := newHost(t, Config{Node: tools.Program(t, "node")})
	f := Function{Name: "f", Runtime: "nodejs20.x", Handler: "esm.context", Code: nodeCode(t, nodeFiles), Timeout: time.Minute, MemoryMB: 512}
	if err := h.Deploy(f); err != nil {
		t.Fatal(err)
	}
	out := end(t, begin(t, h, Input{
		RequestID: "one", TraceID: "Root=1-2", ClientContext: `{"custom":{"a":"ü"}}`,
	}))
	var got map[string]any
	if err := json.Unmarshal(out.Payload, &got); err != nil {
		t.Fatalf("%v: %s", err, out.Payload)
	}
	delete(got, "logStreamName")
	want := map[string]any{
		"functionName": "f", "functionVersion": "$LATEST", "memoryLimitInMB": "512", "logGroupName": "/aws/lambda/f",
		"awsRequestId": "one", "invokedFunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
		"clientContext": map[string]any{"custom": map[string]any{"a": "ü"}}, "left": true, "trace": "Root=1-2",
		"callbackWaitsForEmptyEventLoop": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNode_log(t *testing.T) {
	j := newJournal()
	h := newHost(t, Config{Node: tools.Program(t, "node"), Log: j.log})
	f := Function{Name: "f", Runtime: "nodejs22.x", Handler: "esm.logs", Code: nodeCode(t, nodeFiles), Timeout: time.Minute}
	if err := h.Deploy(f); err != nil {
		t.Fatal(err)
	}
	end(t, begin(t, h, Input{RequestID: "one"}))
	f.Handler = "esm.raises"
	if err := h.Deploy(f); err != nil {
		t.Fatal(err)
	}
	end(t, begin(t, h, Input{RequestID: "two"}))
	var got []string
	for _, r := range j.all(kind(KindOutput)) {
		got = append(got, regexp.MustCompile(`"stack":.*`).ReplaceAllString(timestamp.ReplaceAllString(r.Text, "TIME"), "STACK"))
	}
	want := []string{
		"TIME\tone\tINFO\tlogged 1 { a: 'ü' }", "TIME\tone\tWARN\ttwo", "lines", "TIME\tone\tERROR\tx",
		"TIME\tone\tDEBUG\td", "TIME\tone\tTRACE\tt", "raw",
		"TIME\ttwo\tERROR\tInvoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"no such room: größer\",STACK",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A shim ends when nobody holds the other end of its standard input, wherever the system tells no
// process that its parent has gone.
func TestShims_endWithHost(t *testing.T) {
	h := newHost(t, Config{Node: tools.Program(t, "node"), Python: tools.Program(t, "python3")})
	code := nodeCode(t, map[string]string{
		"f.mjs": "console.log(process.pid, '-'); await new Promise((r) => setTimeout(r, 1e6));",
		"f.py":  "import os, time\nprint(os.getpid(), '-', flush=True)\ntime.sleep(1000)\n",
	})
	for _, runtime := range []string{"nodejs20.x", "python3.12"} {
		f, err := h.prepare(Function{Name: "f", Runtime: runtime, Handler: "f.handler", Code: code})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(f.argv[0], f.argv[1:]...)
		cmd.Dir, cmd.Env = f.task, f.environment("127.0.0.1:1", "stream")
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		text := make([]byte, 200)
		n, err := stdout.Read(text) // it has begun
		if err != nil || !strings.Contains(string(text[:n]), strconv.Itoa(cmd.Process.Pid)) {
			t.Errorf("%q %v", text[:n], err)
		}
		stdin.Close()
		ended := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err == nil || err.Error() != "exit status 1" {
			t.Errorf("%s: %v", runtime, err)
		}
		ended.Stop()
	}
}
