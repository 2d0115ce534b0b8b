package rehearsal_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/confab-chat/confab/internal/rehearsal"
	"github.com/confab-chat/confab/stack"
)

// watch watches a project until the test ends.
func (p *project) watch() {
	watching := make(chan struct{})
	ctx, cancel := context.WithCancel(p.tb.Context())
	go func() {
		defer close(watching)
		p.Watch(ctx)
	}()
	p.tb.Cleanup(func() {
		cancel()
		<-watching
	})
}

// sam build empties the folder of the build and writes the template last. Meanwhile the last build
// runs on, and not the template that is built.
func TestRunner_Watch_build(t *testing.T) {
	t.Parallel()
	dir := work(t, answers("'not built'"))
	build := filepath.Join(dir, ".aws-sam", "build")
	run := func(answer string) {
		write(t, build, map[string]string{"code/main.py": answers("'" + answer + "'")})
		write(t, build, map[string]string{"template.yaml": workshop})
	}
	run("first")
	p := begin(t, dir)
	p.watch()
	if err := os.RemoveAll(build); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1500 * time.Millisecond) // some looks; whatever is seen by then must not be taken
	run("second build")
	p.out.await(1, "reloaded in")
	c := p.dial("")
	c.send(`{"action":"work"}`)
	c.hears(`"second build"`)
	if text := p.out.text(); strings.Contains(text, "not reloaded") {
		t.Errorf("a build under way was loaded:\n%s", text)
	}
}

// A template that cannot be run yet is waited for.
func TestStart_await(t *testing.T) {
	t.Parallel()
	dir := write(t, t.TempDir(), map[string]string{"template.yaml": "Resources: ["})
	out := newOutput(t)
	started := make(chan error, 1)
	cfg := rehearsal.Config{Stack: stack.Options{Dir: dir}, Await: true, Out: out}
	go func() {
		runner, err := rehearsal.Start(t.Context(), cfg)
		if err == nil {
			err = runner.Close()
		}
		started <- err
	}()
	out.await(1, "template.yaml:1", "error")
	out.await(1, "waits for a change")
	write(t, dir, map[string]string{"log.txt": out.text()})
	time.Sleep(1500 * time.Millisecond) // some looks, which find the same
	write(t, dir, map[string]string{"template.yaml": workshop})
	out.await(1, "the code is not there")
	if got, _ := out.lines("waits for a change"); len(got) > 2 {
		t.Errorf("the same is said again: %q", got)
	}
	write(t, dir, map[string]string{"code/main.py": answers("1")})
	if err := <-started; err != nil {
		t.Error(err)
	}
}

// What is not put in place leaves no files.
func TestRunner_Watch_files(t *testing.T) { //nolint:paralleltest // it has a variable of its own
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	dir := work(t, answers("1"))
	vars := filepath.Join(dir, "vars.json")
	write(t, dir, map[string]string{"vars.json": "{}"})
	p := begin(t, dir, func(c *rehearsal.Config) { c.EnvVars = vars })
	p.watch()
	write(t, dir, map[string]string{"vars.json": "no JSON"})
	p.out.await(1, "not reloaded")
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(temp, "confab-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}

// An interrupt reaches what the command has started as well.
func TestRunner_Exec_interrupt(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // which has no interrupts to send
	}
	dir := work(t, answers("1"))
	p := begin(t, dir)
	file := func(name string) string { return filepath.Join(dir, name) }
	const inner = `trap 'touch %s; exit' INT; touch %s; for i in $(seq 60); do sleep 1; done`
	script := fmt.Sprintf(inner, file("ended"), file("began"))
	write(t, dir, map[string]string{"inner.sh": script})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Exec(ctx, "sh "+file("inner.sh")+"; true")
	}()
	exists(t, file("began"))
	cancel()
	<-done
	exists(t, file("ended"))
}

// exists waits for a file.
func exists(t *testing.T, name string) {
	t.Helper()
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
	}
	t.Fatalf("there is no %s", filepath.Base(name))
}

// A rule with a rate calls its function, with its input or with EventBridge's own event. The template's
// outputs are printed.
func TestRunner_schedule(t *testing.T) {
	t.Parallel()
	dir := work(t, "import json\ndef handler(event, context):\n    print(json.dumps(event))\n")
	rules := strings.Replace(workshop, "  Route:\n", `  Tick:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(5 minutes)
      Targets: [{Id: a, Arn: !GetAtt Work.Arn, Input: '{"kind":"sweep"}'}, {Id: b, Arn: !GetAtt Work.Arn}]
  Route:
`, 1)
	rules += "Outputs:\n  Place: {Value: !Sub 'in ${AWS::Region}'}\n"
	write(t, dir, map[string]string{"template.yaml": rules})
	p := begin(t, dir)
	p.out.await(2, "schedule", "Tick", "Work", "every 5m")
	p.out.await(1, "output", "Place", "in us-east-1")
	p.Tick(t.Context(), time.Now())
	p.Tick(t.Context(), time.Now().Add(5*time.Minute))
	p.out.await(1, " Work | ", `{"kind": "sweep"}`)
	p.out.await(1, " Work | ", `"detail-type": "Scheduled Event"`, `"source": "aws.events"`, "-Tick")
	p.out.await(2, " INVOKE Work: done")
}
