package stack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// template is a template that has been read, with all that its references need.
type template struct {
	file       string
	stack      string // name
	region     string
	account    string
	root       *value
	parameters map[string]*value
	conditions map[string]*bool // nil while one is being evaluated
	resources  []*resource
	byID       map[string]*resource
	naming     map[*resource]bool // whose names are being resolved
	making     map[*resource]bool // of which SAM's resources are being made
	problems   *problems
}

// resource is one entry of Resources whose condition holds.
type resource struct {
	id, typ string
	entry   *value
	props   *value // with SAM's Globals, unresolved
	depends []string
}

// newTemplate reads the sections of a template.
func newTemplate(file string, root *value, o *Options, p *problems) (*template, error) {
	t := &template{
		file: file, stack: o.StackName, region: o.Region, account: o.Account, root: root,
		parameters: map[string]*value{}, conditions: map[string]*bool{},
		byID: map[string]*resource{}, naming: map[*resource]bool{}, making: map[*resource]bool{},
		problems: p,
	}
	if root.kind != object || root.get("Resources").kind != object {
		return nil, fail(root, "this is no template: it has no Resources")
	}
	t.readParameters(o.Parameters)
	t.checkRules()
	for _, p := range root.get("Resources").pairs {
		if name := p.key.text; strings.HasPrefix(name, "Fn::") {
			t.errorf("", p.key, "%s among the resources is not known here", name)
			continue
		}
		if err := t.readResource(p.key, p.value); err != nil {
			t.problems.failed(p.key.text, err)
		}
	}
	return t, nil
}

// readResource takes up a resource, unless its condition does not hold.
func (t *template) readResource(key, entry *value) error {
	typ := entry.get("Type")
	if typ.kind != text || typ.text == "" {
		return fail(key, "the resource has no Type")
	}
	if c := entry.get("Condition"); c.kind == text {
		if holds, err := t.condition(c); err != nil || !holds {
			return err
		}
	}
	props := entry.get("Properties")
	if props.kind == null {
		props = &value{kind: object, line: key.line, col: key.col}
	}
	if name, ok := strings.CutPrefix(typ.text, "AWS::Serverless::"); ok {
		props = merge(t.root.get("Globals", name), props)
	}
	named := *entry
	named.line, named.col = key.line, key.col // what is said of the resource is said of its name
	entry = &named
	r := &resource{
		id: key.text, typ: typ.text, entry: entry, props: props,
		depends: entry.get("DependsOn").texts(),
	}
	t.resources = append(t.resources, r)
	t.byID[r.id] = r
	return nil
}

// merge gives local with what global adds: members of objects, items of lists in front, as SAM
// does.
func merge(global, local *value) *value {
	switch {
	case global.kind == null || isCall(global) || isCall(local):
		return local
	case global.kind == list && local.kind == list:
		both := *local
		both.items = slices.Concat(global.items, local.items)
		return &both
	case global.kind != object || local.kind != object:
		return local
	}
	both := *local
	both.pairs = slices.Clone(local.pairs)
	for _, g := range global.pairs {
		i := slices.IndexFunc(both.pairs, func(p pair) bool { return p.key.text == g.key.text })
		if i < 0 {
			both.pairs = append(both.pairs, g)
		} else {
			both.pairs[i].value = merge(g.value, both.pairs[i].value)
		}
	}
	return &both
}

// ofType lists the resources of the types, as written.
func (t *template) ofType(types ...string) []*resource {
	var all []*resource
	for _, r := range t.resources {
		if slices.Contains(types, r.typ) {
			all = append(all, r)
		}
	}
	return all
}

// prop resolves a property of a resource. What cannot be resolved is reported and null.
func (t *template) prop(r *resource, path ...string) *value {
	v := r.props
	var err error
	for _, name := range path {
		if v, err = t.resolveTop(v); err == nil {
			v = v.get(name)
		}
	}
	if err == nil {
		v, err = t.resolve(v)
	}
	if err != nil {
		t.problems.failed(r.id, err)
		return &value{line: r.props.line, col: r.props.col}
	}
	if v == noValue {
		return &value{line: r.props.line, col: r.props.col}
	}
	return v
}

// text is prop of what must be a text, a number or nothing.
func (t *template) text(r *resource, path ...string) string {
	v := t.prop(r, path...)
	if v.kind != text && v.kind != null {
		t.errorf(r.id, v, "%s is %s, and must be a text", path[len(path)-1], v.describe())
	}
	return v.text
}

// problems collects what there is to say about a template.
type problems struct {
	file   string
	list   []Diagnostic
	broken map[string]bool // resources with something that cannot be resolved

	lenient bool   // errors are warnings
	lowered string // the last that was one
}

// add says something about a value of the template. Of a resource with something that cannot be
// resolved nothing more is said: it would follow from that.
func (p *problems) add(s Severity, resource string, v *value, format string, arguments ...any) {
	if p.broken[resource] {
		return
	}
	p.note(s, resource, v, format, arguments...)
}

// note is add of what must be said.
func (p *problems) note(s Severity, resource string, v *value, format string, arguments ...any) {
	d := Diagnostic{
		File: p.file, Line: v.line, Column: v.col, Severity: s, Resource: resource,
		Text: fmt.Sprintf(format, arguments...),
	}
	if p.lenient && s == Error {
		d.Severity, p.lowered = Warning, d.Text
	}
	if !slices.Contains(p.list, d) {
		p.list = append(p.list, d)
	}
}

// failed says that something of the template cannot be resolved.
func (p *problems) failed(resource string, err error) {
	at := &value{}
	var where *place
	if errors.As(err, &where) {
		at.line, at.col = where.line, where.col
	}
	p.note(Error, resource, at, "%s", err)
	p.broken[resource] = resource != ""
}

// errorf says what AWS would refuse, or what nothing can run without.
func (t *template) errorf(resource string, v *value, format string, arguments ...any) {
	t.problems.add(Error, resource, v, format, arguments...)
}

// warnf says what does not run here, or what only AWS shows.
func (t *template) warnf(resource string, v *value, format string, arguments ...any) {
	t.problems.add(Warning, resource, v, format, arguments...)
}

// infof says what is worth a look.
func (t *template) infof(resource string, v *value, format string, arguments ...any) {
	t.problems.add(Info, resource, v, format, arguments...)
}
