package stack

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// functions are CloudFormation's intrinsic functions, those that are not known here too.
var functions = []string{
	"Fn::Base64", "Fn::Cidr", "Fn::FindInMap", "Fn::ForEach", "Fn::GetAtt", "Fn::GetAZs",
	"Fn::GetStackOutput",
	"Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Length", "Fn::Select", "Fn::Split", "Fn::Sub",
	"Fn::ToJsonString",
	"Fn::Transform", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or",
	// Of rules alone.
	"Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf",
	"Fn::ValueOfAll",
}

// noValue is what !Ref AWS::NoValue gives: the member or item that has it is not there.
var noValue = &value{}

// isCall tells whether a value is a call of an intrinsic function.
func isCall(v *value) bool {
	if v.kind != object || len(v.pairs) != 1 {
		return false
	}
	name := v.pairs[0].key.text
	return name == "Ref" || name == "Condition" && v.pairs[0].value.kind == text ||
		strings.HasPrefix(name, "Fn::")
}

// resolve gives a value with all intrinsic functions in it replaced by what they give.
func (t *template) resolve(v *value) (*value, error) {
	switch {
	case isCall(v):
		return t.call(v.pairs[0].key, v.pairs[0].value)
	case v.kind == list:
		all := *v
		all.items = make([]*value, 0, len(v.items))
		for _, item := range v.items {
			item, err := t.resolve(item)
			if err != nil {
				return nil, err
			}
			if item != noValue {
				all.items = append(all.items, item)
			}
		}
		return &all, nil
	case v.kind == object:
		all := *v
		all.pairs = make([]pair, 0, len(v.pairs))
		for _, p := range v.pairs {
			member, err := t.resolve(p.value)
			if err != nil {
				return nil, err
			}
			if member != noValue {
				all.pairs = append(all.pairs, pair{p.key, member})
			}
		}
		return &all, nil
	}
	return v, nil
}

// resolveTop resolves a value as far as it is a call itself; what is in it stays as it is written.
func (t *template) resolveTop(v *value) (*value, error) {
	for isCall(v) {
		var err error
		if v, err = t.open(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// open is one step of resolveTop: of Fn::If only the branch that counts is looked at.
func (t *template) open(v *value) (*value, error) {
	if name := v.pairs[0].key; name.text == "Fn::If" {
		return t.branch(name, v.pairs[0].value)
	}
	return t.resolve(v)
}

// call gives what an intrinsic function gives.
func (t *template) call(name, argument *value) (*value, error) {
	switch name.text {
	case "Ref":
		return t.ref(argument)
	case "Fn::GetAtt":
		return t.getAtt(name, argument)
	case "Fn::Sub":
		return t.sub(name, argument)
	case "Fn::Join":
		return t.join(name, argument)
	case "Fn::If":
		chosen, err := t.branch(name, argument)
		if err != nil {
			return nil, err
		}
		return t.resolve(chosen)
	case "Fn::FindInMap":
		return t.findInMap(name, argument)
	case "Fn::Select":
		return t.choose(name, argument)
	case "Fn::Split":
		return t.split(name, argument)
	case "Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or":
		holds, err := t.holds(name, argument)
		return name.at(strconv.FormatBool(holds)), err
	}
	return t.callRare(name, argument)
}

// callRare is call of what few templates use.
func (t *template) callRare(name, argument *value) (*value, error) {
	switch name.text {
	case "Fn::Base64":
		s, err := t.resolveText(argument, name.text)
		return name.at(base64.StdEncoding.EncodeToString([]byte(s))), err
	case "Fn::GetAZs":
		zones := &value{kind: list, line: name.line, col: name.col}
		for _, zone := range []string{"a", "b", "c"} {
			zones.items = append(zones.items, name.at(t.region+zone))
		}
		return zones, nil
	case "Fn::ImportValue":
		export, err := t.resolveText(argument, name.text)
		if err != nil {
			return nil, err
		}
		return nil, fail(name, "Fn::ImportValue of %q: the exports of other stacks are not known"+
			" here; make it a parameter", export)
	}
	return nil, fail(name, "%s is not known here", name.text)
}

// resolveText resolves what must come out as a text.
func (t *template) resolveText(v *value, name string) (string, error) {
	r, err := t.resolve(v)
	switch {
	case err != nil:
		return "", err
	case r.kind != text:
		return "", fail(v, "%s needs a text here, and this is %s", name, r.describe())
	}
	return r.text, nil
}

// arguments gives the items of an argument that must be a list of n items.
func arguments(name, argument *value, n int) ([]*value, error) {
	if argument.kind != list || len(argument.items) != n {
		return nil, fail(name, "%s needs a list of %d", name.text, n)
	}
	return argument.items, nil
}

// variable is a reference in the text of Fn::Sub.
var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

func (t *template) sub(name, argument *value) (*value, error) {
	pattern, own := argument, &value{}
	if argument.kind == list {
		args, err := arguments(name, argument, 2)
		if err != nil {
			return nil, err
		}
		pattern, own = args[0], args[1]
	}
	if pattern.kind != text {
		return nil, fail(name, "Fn::Sub needs a text, and this is %s", pattern.describe())
	}
	var failed error
	s := variable.ReplaceAllStringFunc(pattern.text, func(found string) string {
		expression := strings.TrimSpace(found[2 : len(found)-1])
		if literal, ok := strings.CutPrefix(expression, "!"); ok {
			return "${" + literal + "}"
		}
		got, err := t.variable(pattern.at(expression), own)
		if err != nil && failed == nil {
			failed = err
		}
		return got
	})
	return name.at(s), failed
}

// variable gives what ${name} stands for in Fn::Sub, whose own variables come first.
func (t *template) variable(name, own *value) (string, error) {
	if own.has(name.text) {
		return t.resolveText(own.get(name.text), "Fn::Sub")
	}
	var got *value
	var err error
	id, attribute, dotted := strings.Cut(name.text, ".")
	if dotted && !t.generated(name.text) {
		got, err = t.attribute(name, id, attribute)
	} else {
		got, err = t.ref(name)
	}
	switch {
	case err != nil:
		return "", err
	case got.kind == list:
		return "", fail(name, "Fn::Sub: %s is a list; use Fn::Join", name.text)
	}
	return got.text, nil
}

func (t *template) join(name, argument *value) (*value, error) {
	args, err := arguments(name, argument, 2)
	if err != nil {
		return nil, err
	}
	parts, err := t.resolve(args[1])
	if err != nil {
		return nil, err
	}
	if parts.kind != list || args[0].kind == list || args[0].kind == object {
		return nil, fail(name, "Fn::Join needs a text and a list")
	}
	for _, part := range parts.items {
		if part.kind != text {
			return nil, fail(part, "Fn::Join needs texts, and this is %s", part.describe())
		}
	}
	return name.at(strings.Join(parts.texts(), args[0].text)), nil
}

func (t *template) findInMap(name, argument *value) (*value, error) {
	args := argument.items
	if argument.kind != list || len(args) < 3 {
		return nil, fail(name, "Fn::FindInMap needs a list of 3")
	}
	found := t.root.get("Mappings")
	for _, arg := range args[:3] {
		key, err := t.resolveText(arg, name.text)
		if err != nil {
			return nil, err
		}
		if !found.has(key) {
			if len(args) == 4 && args[3].has("DefaultValue") {
				return t.resolve(args[3].get("DefaultValue"))
			}
			return nil, fail(arg, "Fn::FindInMap: the mappings have no %q here", key)
		}
		found = found.get(key)
	}
	return found, nil
}

func (t *template) choose(name, argument *value) (*value, error) {
	args, err := arguments(name, argument, 2)
	if err != nil {
		return nil, err
	}
	text, err := t.resolveText(args[0], name.text)
	if err != nil {
		return nil, err
	}
	from, err := t.resolve(args[1])
	if err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(text)
	if err != nil || i < 0 || i >= len(from.items) {
		return nil, fail(name, "Fn::Select: there is no item %q in a list of %d", text,
			len(from.items))
	}
	return from.items[i], nil
}

func (t *template) split(name, argument *value) (*value, error) {
	args, err := arguments(name, argument, 2)
	if err != nil {
		return nil, err
	}
	source, err := t.resolveText(args[1], name.text)
	if err != nil {
		return nil, err
	}
	if args[0].text == "" {
		return nil, fail(name, "Fn::Split needs a text to split at")
	}
	parts := &value{kind: list, line: name.line, col: name.col}
	for part := range strings.SplitSeq(source, args[0].text) {
		parts.items = append(parts.items, name.at(part))
	}
	return parts, nil
}

// branch gives the branch of Fn::If that counts, unresolved.
func (t *template) branch(name, argument *value) (*value, error) {
	args, err := arguments(name, argument, 3)
	if err != nil {
		return nil, err
	}
	holds, err := t.condition(args[0])
	switch {
	case err != nil:
		return nil, err
	case holds:
		return args[1], nil
	}
	return args[2], nil
}

// condition tells whether a condition, given by its name, holds.
func (t *template) condition(name *value) (bool, error) {
	if known, ok := t.conditions[name.text]; ok {
		if known == nil {
			return false, fail(name, "the condition %s depends on itself", name.text)
		}
		return *known, nil
	}
	body := t.root.get("Conditions", name.text)
	if !isCall(body) {
		return false, fail(name, "there is no condition %q", name.text)
	}
	t.conditions[name.text] = nil
	holds, err := t.holds(body.pairs[0].key, body.pairs[0].value)
	t.conditions[name.text] = &holds
	return holds, err
}

// holds evaluates a call of a condition function.
func (t *template) holds(name, argument *value) (bool, error) {
	switch {
	case name.text == "Condition":
		return t.condition(argument)
	case name.text == "Fn::Equals", name.text == "Fn::Contains":
		return t.compare(name, argument)
	case argument.kind != list || !slices.Contains([]string{"Fn::Not", "Fn::And", "Fn::Or"}, name.text):
		return false, fail(name, "%s with this argument is no condition", name.text)
	}
	all, some := true, false
	for _, item := range argument.items {
		if !isCall(item) {
			return false, fail(item, "%s needs conditions", name.text)
		}
		one, err := t.holds(item.pairs[0].key, item.pairs[0].value)
		if err != nil {
			return false, err
		}
		all, some = all && one, some || one
	}
	switch name.text {
	case "Fn::Not":
		return !some, nil
	case "Fn::And":
		return all, nil
	}
	return some, nil
}

// compare evaluates Fn::Equals, and Fn::Contains of a list and a text.
func (t *template) compare(name, argument *value) (bool, error) {
	args, err := arguments(name, argument, 2)
	if err != nil {
		return false, err
	}
	a, err := t.resolve(args[0])
	if err != nil {
		return false, err
	}
	b, err := t.resolve(args[1])
	if err != nil {
		return false, err
	}
	if name.text == "Fn::Contains" {
		return slices.Contains(a.texts(), b.text), nil
	}
	return a.text == b.text && slices.Equal(a.texts(), b.texts()), nil
}
