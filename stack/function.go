package stack

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/lambdahost"
)

// Function is a Lambda function of the template.
type Function struct {
	LogicalID string
	Name      string // what Ref gives, and the name it is deployed by
	Line      int    // of the template
	// Lambda is what is deployed; its Env has the references resolved and nothing of this machine.
	Lambda lambdahost.Function
	// Source is the folder or archive that the code comes from, for who waits for changes; "" for
	// code in the template.
	Source string
	// Policies are what the template lets the function do, as far as it stands there.
	Policies []Statement
	// Refused says why the function does not run here; "" where it does.
	Refused string

	returnsBody bool // its source says so
}

// functions makes the functions.
func (b *builder) functions() {
	for _, r := range b.ofType(typeFunction, typeSAMFunction) {
		name, err := b.physical(r)
		if err != nil {
			b.problems.failed(r.id, err)
			continue
		}
		f := &Function{LogicalID: r.id, Name: name, Line: r.entry.line}
		b.stack.Functions = append(b.stack.Functions, f)
		f.Lambda = lambdahost.Function{
			Name: name, Handler: b.text(r, "Handler"), Env: b.variables(r),
			Timeout:  time.Duration(b.prop(r, "Timeout").number() * float64(time.Second)),
			MemoryMB: int(b.prop(r, "MemorySize").number()),
		}
		if reserved := b.prop(r, "ReservedConcurrentExecutions"); reserved.kind == text {
			if f.Lambda.Concurrency = int(reserved.number()); f.Lambda.Concurrency == 0 {
				f.Lambda.Concurrency = -1 // none, as 0 on AWS
			}
		}
		f.Policies = b.policies(r)
		b.aliases(r, f)
		if f.Refused = b.runtime(r, f); f.Refused != "" {
			b.warnf(r.id, r.entry, "the function does not run here: %s; who calls it is answered"+
				" as by a function that fails", f.Refused)
			continue
		}
		b.checkFunction(r, f)
	}
}

// install finds the code of all functions. A function that cannot start is an error where clients
// would call it; others, as what the CDK adds for its own ends, are only left out.
func (b *builder) install() {
	for _, f := range b.stack.Functions {
		if f.Refused != "" {
			continue
		}
		r := b.byID[f.LogicalID]
		b.problems.lenient = !b.called(f)
		b.layers(r, f)
		b.code(r, f)
		if b.problems.lowered != "" {
			f.Refused = b.problems.lowered
		}
		b.problems.lenient, b.problems.lowered = false, ""
	}
}

// called tells whether an API calls a function.
func (b *builder) called(f *Function) bool {
	for _, api := range b.stack.APIs {
		for _, s := range api.Stages {
			for _, r := range s.Routes {
				if r.Function == f || r.Authorizer != nil && r.Authorizer.Function == f {
					return true
				}
			}
		}
	}
	return false
}

// variables gives the environment of a function. Lambda takes texts; what refers to a service's
// secret stays as it is written.
func (b *builder) variables(r *resource) map[string]string {
	variables := b.prop(r, "Environment", "Variables")
	all := make(map[string]string, len(variables.pairs))
	for _, p := range variables.pairs {
		switch {
		case p.value.kind != text:
			b.errorf(r.id, p.key, "the variable %s is %s, and must be a text",
				p.key.text, p.value.describe())
		case strings.Contains(p.value.text, "{{resolve:"):
			b.warnf(r.id, p.value, "the variable %s refers to a service that does not run here,"+
				" and stays %s", p.key.text, p.value.text)
		}
		all[p.key.text] = p.value.text
	}
	return all
}

// aliases gives a function the names that it is published by.
func (b *builder) aliases(r *resource, f *Function) {
	if alias := b.prop(r, "AutoPublishAlias").text; alias != "" {
		f.Lambda.Version, f.Lambda.Aliases = "1", []string{alias}
	}
	for _, other := range b.ofType(typeAlias, typeVersion) {
		if functionName(b.text(other, "FunctionName")) != f.Name {
			continue
		}
		f.Lambda.Version = "1"
		if other.typ == typeAlias {
			f.Lambda.Aliases = append(f.Lambda.Aliases, b.text(other, "Name"))
		}
	}
}

// Runtimes that Lambda has had, and the oldest and newest that run here.
var (
	numbered = regexp.MustCompile(`^(nodejs|python3\.)(\d+)(?:\.(?:x|10))?$`)
	runtimes = map[string][2]int{"nodejs": {18, 24}, "python3.": {9, 14}}
)

// runtime chooses a function's runtime, or says why it does not run.
func (b *builder) runtime(r *resource, f *Function) (refused string) {
	name := b.prop(r, "Runtime")
	if b.text(r, "PackageType") == "Image" || b.prop(r, "Code", "ImageUri").kind == text {
		return "container images do not"
	}
	if name.kind != text {
		b.errorf(r.id, r.entry, "the function has no Runtime")
		return "it has no Runtime"
	}
	f.Lambda.Runtime = name.text
	switch {
	case name.text == "go1.x":
		b.warnf(r.id, name, "AWS has no runtime go1.x any more: use provided.al2023 and the"+
			" handler bootstrap, as is done here")
		f.Lambda.Runtime, f.Lambda.Handler = "provided.al2023", "bootstrap"
	case strings.HasPrefix(name.text, "provided"):
		f.Lambda.Runtime = "provided.al2023"
	default:
		m := numbered.FindStringSubmatch(name.text)
		if m == nil {
			return fmt.Sprintf("the runtime %s does not", name.text)
		}
		have, number := runtimes[m[1]], int((&value{text: m[2]}).number())
		if nearest := min(max(number, have[0]), have[1]); nearest != number {
			f.Lambda.Runtime = fmt.Sprintf("%s%d%s", m[1], nearest,
				map[bool]string{true: ".x"}[m[1] == "nodejs"])
			b.warnf(r.id, name, "the runtime %s runs as %s here", name.text, f.Lambda.Runtime)
		}
	}
	return ""
}

// layers finds the folders or archives of a function's layers.
func (b *builder) layers(r *resource, f *Function) {
	layers := b.ofType(typeLayer, typeSAMLayer)
	for _, wanted := range b.prop(r, "Layers").items {
		i := slices.IndexFunc(layers, func(l *resource) bool {
			arn, err := b.physical(l)
			return err == nil && arn == wanted.text
		})
		if i < 0 {
			b.warnf(r.id, wanted, "the layer %s is not in the template: what it holds is missing"+
				" here", wanted.text)
			continue
		}
		l := layers[i]
		content := b.prop(l, "Content")
		if l.typ == typeSAMLayer {
			content = b.prop(l, "ContentUri")
		}
		if path := b.uploaded(l, content, "Content"); path != "" {
			f.Lambda.Layers = append(f.Lambda.Layers, path)
			b.stack.addSource(path)
		}
	}
}

// Bounds of Lambda ("Lambda quotas") and of API Gateway's patience.
const (
	maxFunctionTimeout = 900 // seconds
	patience           = 29 * time.Second
)

// checkFunction reports settings that AWS refuses, so that they have a line.
func (b *builder) checkFunction(r *resource, f *Function) {
	if seconds := b.prop(r, "Timeout"); seconds.kind == text {
		if n := seconds.number(); n < 1 || n > maxFunctionTimeout || n != math.Trunc(n) {
			b.errorf(r.id, seconds, "Timeout %s: whole seconds from 1 to 900", seconds.text)
		}
	}
	if size := b.prop(r, "MemorySize"); size.kind == text && (size.number() < 128 || size.number() > 10240) {
		b.errorf(r.id, size, "MemorySize %s: megabytes from 128 to 10,240", size.text)
	}
	if len(f.Name) > 64 {
		b.errorf(r.id, r.entry, "the name %s has more than 64 characters", f.Name)
	}
	if f.Lambda.Handler == "" && !strings.HasPrefix(f.Lambda.Runtime, "provided") {
		b.errorf(r.id, r.entry, "the function has no Handler")
	}
}
