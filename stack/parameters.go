package stack

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// readParameters gives every parameter its value: the given one, else its default.
func (t *template) readParameters(given map[string]string) {
	declared := t.root.get("Parameters")
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !declared.has(name) {
			t.warnf(name, declared, "the template has no parameter %s", name)
		}
	}
	for _, p := range declared.pairs {
		name, spec := p.key.text, p.value
		s, ok := given[name]
		fallback := spec.get("Default")
		switch {
		case ok:
		case spec.has("Default"):
			s = strings.Join(fallback.texts(), ",")
		case strings.HasPrefix(name, "AssetParameters"): // of the CDK, for where it uploads code to
			s = "assets/||" + name // it is split at the bars
		default:
			t.errorf(name, p.key,
				"the parameter %s has no default: give it with --parameter %s=VALUE", name, name)
			continue
		}
		if !ok && strings.HasPrefix(spec.get("Type").text, "AWS::SSM::Parameter::Value") {
			t.infof(name, p.key, "the parameter %s is the name of a value in the Parameter"+
				" Store, which is not read here; give the value with --parameter %s=VALUE", name,
				name)
		}
		t.parameters[name] = t.parameter(p.key, spec, s)
	}
}

// parameter checks a parameter's value and gives it the form of its type.
func (t *template) parameter(name, spec *value, s string) *value {
	v := name.at(s)
	typ := spec.get("Type").text
	if typ == "CommaDelimitedList" || strings.HasPrefix(typ, "List<") || strings.HasSuffix(typ, "<List<String>>") {
		v = &value{kind: list, line: name.line, col: name.col}
		if s != "" {
			for item := range strings.SplitSeq(s, ",") {
				v.items = append(v.items, name.at(strings.TrimSpace(item)))
			}
		}
	}
	for _, one := range v.texts() {
		if why := refused(spec, typ, one); why != "" {
			t.errorf(name.text, name, "the parameter %s cannot be %q: %s", name.text, one, why)
		}
	}
	return v
}

// number is what a parameter of the type Number may be.
var number = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)

// refused says why CloudFormation would refuse a parameter's value; "" where it would not.
func refused(spec *value, typ, s string) string {
	size := float64(utf8.RuneCountInString(s))
	given := (&value{kind: text, text: s}).number()
	over := func(name string,
		n float64,
	) bool {
		return spec.has(name) && n > spec.get(name).number()
	}
	under := func(name string,
		n float64,
	) bool {
		return spec.has(name) && n < spec.get(name).number()
	}
	switch allowed := spec.get("AllowedValues"); {
	case strings.Contains(typ, "Number") && !number.MatchString(s):
		return "it is no number"
	case allowed.kind == list && !slices.Contains(allowed.texts(), s):
		return "allowed are " + strings.Join(allowed.texts(), ", ")
	case over("MaxLength", size), under("MinLength", size):
		return "its length is not allowed"
	case over("MaxValue", given), under("MinValue", given):
		return "it is out of range"
	}
	if pattern := spec.get("AllowedPattern").text; pattern != "" {
		expression, err := regexp.Compile("^(?:" + pattern + ")$")
		if err == nil && !expression.MatchString(s) {
			if why := spec.get("ConstraintDescription").text; why != "" {
				return why
			}
			return "it must match " + pattern
		}
	}
	return ""
}
