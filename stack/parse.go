package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Bounds of what is read.
const (
	maxTemplate = 8 << 20 // bytes; CloudFormation takes 1 MB
	maxValues   = 500_000 // of one template, aliases written out
	maxDepth    = 200
)

// place is an error with where in the file it is.
type place struct {
	line, col int
	err       error
}

func (p *place) Error() string { return p.err.Error() }
func (p *place) Unwrap() error { return p.err }

// fail makes an error at a value.
func fail(v *value, format string, arguments ...any) error {
	return &place{v.line, v.col, fmt.Errorf(format, arguments...)}
}

// parse reads YAML or JSON. Errors have places.
func parse(data []byte) (*value, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch trimmed := bytes.TrimSpace(data); {
	case len(data) > maxTemplate:
		return nil, &place{1, 1, fmt.Errorf("the file is over %d bytes", maxTemplate)}
	case !utf8.Valid(data):
		return nil, &place{1, 1, errors.New("the file is no UTF-8")}
	case len(trimmed) == 0:
		return nil, &place{1, 1, errors.New("the file is empty")}
	case trimmed[0] == '{':
		return parseJSON(data)
	}
	return parseYAML(data)
}

// jsonReader reads JSON and knows where it is.
type jsonReader struct {
	data    []byte
	dec     *json.Decoder
	at      int // an offset that has been counted
	line    int // of at
	newline int // offset of the first byte of that line
}

func parseJSON(data []byte) (*value, error) {
	r := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	v, err := r.value(0)
	if err == nil {
		if _, more := r.dec.Token(); more != io.EOF {
			err = errors.New("there is more after the template's end")
		}
	}
	var placed *place
	switch {
	case err == nil:
		return v, nil
	case errors.As(err, &placed):
		return nil, err
	}
	line, col := r.where(int(r.dec.InputOffset()))
	return nil, &place{line, col, fmt.Errorf("this is no JSON: %w", err)}
}

// where gives line and column of an offset that is not before those asked for so far.
func (r *jsonReader) where(offset int) (line, col int) {
	offset = min(offset, len(r.data))
	for ; r.at < offset; r.at++ {
		if r.data[r.at] == '\n' {
			r.line++
			r.newline = r.at + 1
		}
	}
	return r.line, offset - r.newline + 1
}

// next gives the next token and where it begins.
func (r *jsonReader) next() (json.Token, *value, error) {
	start := int(r.dec.InputOffset())
	for start < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[start]) >= 0 {
		start++
	}
	line, col := r.where(start)
	token, err := r.dec.Token()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return token, &value{line: line, col: col}, err
}

func (r *jsonReader) value(depth int) (*value, error) {
	token, v, err := r.next()
	if err != nil {
		return nil, err
	}
	if depth > maxDepth {
		return nil, fail(v, "more than %d values in one another", maxDepth)
	}
	v.kind = text
	switch token := token.(type) {
	case nil:
		v.kind = null
	case string:
		v.text = token
	case json.Number:
		v.text = token.String()
	case bool:
		v.text = strconv.FormatBool(token)
	case json.Delim:
		return v, r.members(v, token, depth)
	}
	return v, nil
}

// members reads a list or an object up to its end.
func (r *jsonReader) members(v *value, begin json.Delim, depth int) error {
	v.kind = list
	if begin == '{' {
		v.kind = object
	}
	for r.dec.More() {
		if v.kind == list {
			item, err := r.value(depth + 1)
			if err != nil {
				return err
			}
			v.items = append(v.items, item)
			continue
		}
		key, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		if v.has(key.text) {
			return fail(key, "%q is here twice", key.text)
		}
		member, err := r.value(depth + 1)
		if err != nil {
			return err
		}
		v.pairs = append(v.pairs, pair{key, member})
	}
	_, _, err := r.next()
	return err
}

// lineByLine gives a text in lines and counts those that were asked for: the YAML library's errors
// name the line where something begins that has no end, or the one before it.
type lineByLine struct {
	left   []byte
	count  int
	inside bool // of a line that has been counted
}

func (r *lineByLine) Read(p []byte) (int, error) {
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	if !r.inside {
		r.count++
	}
	n := bytes.IndexByte(r.left, '\n') + 1
	if n == 0 {
		n = len(r.left)
	}
	n = copy(p, r.left[:n])
	r.inside = n > 0 && p[n-1] != '\n'
	r.left = r.left[n:]
	return n, nil
}

// yamlLine is how errors of the YAML library begin.
var yamlLine = regexp.MustCompile(`^yaml: (line \d+: )?`)

func parseYAML(data []byte) (*value, error) {
	var root yaml.Node
	lines := &lineByLine{left: data}
	if err := yaml.NewDecoder(lines).Decode(&root); err != nil {
		why := yamlLine.ReplaceAllString(err.Error(), "")
		return nil, &place{max(lines.count, 1), 1, fmt.Errorf("this is no YAML: %s", why)}
	}
	if len(root.Content) == 0 {
		return nil, &place{1, 1, errors.New("the file is empty")}
	}
	y := &yamlReader{left: maxValues}
	return y.value(root.Content[0], 0)
}

// yamlReader makes values of YAML nodes.
type yamlReader struct{ left int }

func (y *yamlReader) value(n *yaml.Node, depth int) (*value, error) {
	v := &value{line: n.Line, col: n.Column}
	if y.left--; y.left < 0 || depth > maxDepth {
		return nil, fail(v, "too many values, or too many in one another")
	}
	switch n.Kind {
	case yaml.AliasNode:
		return y.value(n.Alias, depth+1)
	case yaml.SequenceNode:
		v.kind = list
		for _, child := range n.Content {
			item, err := y.value(child, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, item)
		}
	case yaml.MappingNode:
		v.kind = object
		if err := y.members(v, n, depth); err != nil {
			return nil, err
		}
	default:
		if v.kind = text; n.Tag == "!!null" {
			v.kind = null
		}
		v.text = n.Value
	}
	return shortForm(v, n.Tag)
}

// members reads the members of a mapping; merged ones come last and do not replace.
func (y *yamlReader) members(v *value, n *yaml.Node, depth int) error {
	var merged []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, member := n.Content[i], n.Content[i+1]
		m, err := y.value(member, depth+1)
		if err != nil {
			return err
		}
		k := &value{kind: text, line: key.Line, col: key.Column, text: key.Value}
		switch {
		case key.Kind != yaml.ScalarNode:
			return fail(k, "a name must be a text")
		case key.Tag == "!!merge":
			for _, from := range append(slices.Clone(m.items), m) {
				merged = append(merged, from.pairs...)
			}
		case v.has(k.text):
			return fail(k, "%q is here twice", k.text)
		default:
			v.pairs = append(v.pairs, pair{k, m})
		}
	}
	for _, p := range merged {
		if !v.has(p.key.text) {
			v.pairs = append(v.pairs, p)
		}
	}
	return nil
}

// shortForm writes !Ref x and the like as the objects they stand for.
func shortForm(v *value, tag string) (*value, error) {
	if !strings.HasPrefix(tag, "!") || strings.HasPrefix(tag, "!!") {
		return v, nil
	}
	name := tag[1:]
	switch name {
	case "Ref", "Condition":
	case "GetAtt":
		name = "Fn::GetAtt"
		if v.kind == text {
			v = splitAttribute(v)
		}
	default:
		if !slices.Contains(functions, "Fn::"+name) {
			return nil, fail(v, "%s: there is no such function", tag)
		}
		name = "Fn::" + name
	}
	key := v.at(name)
	return &value{kind: object, line: v.line, col: v.col, pairs: []pair{{key, v}}}, nil
}

// splitAttribute makes the list [id, attribute] of a text id.attribute.
func splitAttribute(v *value) *value {
	id, attribute, _ := strings.Cut(v.text, ".")
	return &value{
		kind: list, line: v.line, col: v.col, items: []*value{v.at(id), v.at(attribute)},
	}
}
