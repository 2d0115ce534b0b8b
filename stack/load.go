package stack

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/confab-chat/confab/lambdahost"
)

// Options say what to load.
type Options struct {
	// Dir is the folder of the project; default: the working directory. Without Template it is
	// where the template is looked for: .aws-sam/build/template.yaml, template.yaml (.yml, .json),
	// cdk.out/*.template.json, .serverless/*.json, in this order.
	Dir string
	// Template is a template's file.
	Template string
	// Parameters override samconfig.toml's parameter_overrides, and these the defaults.
	Parameters map[string]string
	// ConfigEnv is the environment in samconfig.toml (or .yaml); default "default".
	ConfigEnv string
	// StackName, Region and Account are what the pseudo parameters say. Defaults: samconfig's, else
	// the folder's name; samconfig's, else "us-east-1"; "000000000000".
	StackName, Region, Account string
	// Lambda is what the functions will be deployed to is made of: its programs and the packages
	// that it provides count where packages are looked for.
	Lambda lambdahost.Config
	// Build is where code in the template is written and programs are built; it must outlive the
	// functions. Default: a new folder under os.TempDir, which Stack.Close removes.
	Build string
}

// Severity is how bad a Diagnostic is.
type Severity int

const (
	// Info is about what is accepted and has no effect here, or is worth a look.
	Info Severity = iota
	// Warning is about what does not run here, or is a mistake that shows on AWS alone.
	Warning
	// Error is about what AWS would refuse, or what nothing can be run without: Load fails.
	Error
)

// String gives "info", "warning" or "error".
func (s Severity) String() string { return [...]string{"info", "warning", "error"}[s] }

// Diagnostic is what there is to say about a place in a template, or in a handler.
type Diagnostic struct {
	File     string // as it was found or given; relative where Options.Dir is
	Line     int    // from 1; 0: of the whole file
	Column   int    // in characters, from 1
	Severity Severity
	Resource string // logical id of the resource or name of the parameter; may be ""
	Text     string // a sentence without full stop
}

// String gives a line in the form of compilers: FILE:LINE:COLUMN: SEVERITY: RESOURCE: TEXT.
func (d Diagnostic) String() string {
	where := d.File
	if d.Line > 0 {
		where += fmt.Sprintf(":%d:%d", d.Line, max(d.Column, 1))
	}
	what := d.Severity.String()
	if d.Resource != "" {
		what += ": " + d.Resource
	}
	return where + ": " + what + ": " + d.Text
}

// Stack is a template that has been loaded: what runs of it, with every reference resolved. It is
// not changed once it is loaded.
type Stack struct {
	File      string // of the template
	Dir       string // Options.Dir
	Name      string
	Region    string
	Account   string
	APIs      []*API      // as written in the template
	Functions []*Function // as written
	Tables    []*Table    // as written
	Schedules []*Schedule // rules first
	Outputs   []Output    // as written; those whose condition does not hold are absent
	// Sources are the files and folders that a change of the stack would be in.
	Sources []string

	build string // what Close removes; "": nothing
}

// Output is one of a template's Outputs.
type Output struct{ Name, Value, Description string }

// ErrTemplate says that a template cannot be run; the diagnostics say why.
var ErrTemplate = errors.New("stack: the template cannot be run")

// Load reads a template and resolves it. What cannot run here is left out and named by the
// diagnostics, which come in order of the file whether or not there is an error. The error is
// ErrTemplate when one of them is an Error, or says why there is nothing to read.
func Load(o Options) (*Stack, []Diagnostic, error) {
	o.Dir = cmp.Or(o.Dir, projectOf(o.Template))
	file, notes, err := locate(&o)
	if err != nil {
		return nil, nil, err
	}
	p := &problems{file: file, list: notes, broken: map[string]bool{}}
	readConfig(&o, p)
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, fmt.Errorf("stack: %w", err)
	}
	root, err := parse(data)
	if err != nil {
		p.failed("", err)
		return nil, p.list, ErrTemplate
	}
	s, err := load(file, root, &o, p)
	if err != nil {
		p.failed("", err)
	}
	slices.SortStableFunc(p.list, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column))
	})
	if slices.ContainsFunc(p.list, func(d Diagnostic) bool { return d.Severity == Error }) {
		if s != nil {
			return nil, p.list, errors.Join(ErrTemplate, s.Close())
		}
		return nil, p.list, ErrTemplate
	}
	return s, p.list, nil
}

// notInName is what a stack's name does not have.
var notInName = regexp.MustCompile(`[^A-Za-z0-9-]+`)

// load makes a stack of a template that has been parsed.
func load(file string, root *value, o *Options, p *problems) (*Stack, error) {
	if o.StackName == "" {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return nil, err
		}
		o.StackName = cmp.Or(strings.Trim(notInName.ReplaceAllString(filepath.Base(dir), "-"),
			"-"), "stack")
	}
	o.Region, o.Account = cmp.Or(o.Region, "us-east-1"), cmp.Or(o.Account, "000000000000")
	t, err := newTemplate(file, root, o, p)
	if err != nil {
		return nil, err
	}
	s := &Stack{
		File: file, Dir: o.Dir, Name: o.StackName, Region: o.Region, Account: o.Account,
	}
	b := &builder{template: t, stack: s, dir: filepath.Dir(file), build: o.Build, lambda: &o.Lambda}
	if b.build == "" {
		if b.build, err = os.MkdirTemp("", "confab-stack-"); err != nil {
			return nil, err
		}
		s.build = b.build
	}
	b.functions()
	b.tables()
	b.apis()
	b.install()
	b.schedules()
	b.outputs()
	b.unsupported()
	b.lint()
	s.Sources = append(s.Sources, file)
	return s, nil
}

// Close removes what was written and built for the stack. Its functions must have ended.
func (s *Stack) Close() error {
	if s.build == "" {
		return nil
	}
	return os.RemoveAll(s.build)
}

// builder makes a stack of a template.
type builder struct {
	*template
	stack  *Stack
	dir    string // of the template: what paths in it begin at
	build  string // where code of the template and programs are written
	lambda *lambdahost.Config
}

// outputs resolves the outputs; what cannot be resolved is only named.
func (b *builder) outputs() {
	for _, p := range b.root.get("Outputs").pairs {
		if c := p.value.get("Condition"); c.kind == text {
			if holds, err := b.condition(c); err != nil || !holds {
				continue
			}
		}
		v, err := b.resolve(p.value.get("Value"))
		if err != nil {
			b.warnf(p.key.text, p.key, "the output %s has no value: %s", p.key.text, err)
			continue
		}
		b.stack.Outputs = append(b.stack.Outputs, Output{
			p.key.text, strings.Join(v.texts(), ","), p.value.get("Description").text,
		})
	}
}

// Function gives a function by logical id, name or ARN; nil: there is none.
func (s *Stack) Function(name string) *Function {
	for _, f := range s.Functions {
		if f.LogicalID == name || f.Name == functionName(name) {
			return f
		}
	}
	return nil
}
