package stack

import (
	"strconv"
	"strings"
)

// kind is what a value is.
type kind uint8

const (
	null kind = iota
	text      // a text, a number or a boolean, as it is written
	list
	object
)

// value is a piece of a template, or what the intrinsic functions in it give, with the place where
// it is written. Values are shared and not changed once they are read.
type value struct {
	kind  kind
	line  int
	col   int
	text  string
	items []*value // of a list
	pairs []pair   // of an object, as written
}

// pair is a member of an object.
type pair struct{ key, value *value }

// get gives a member of an object, null where there is none; the place is then the object's.
func (v *value) get(path ...string) *value {
	for _, name := range path {
		v = v.member(name)
	}
	return v
}

func (v *value) member(name string) *value {
	for _, p := range v.pairs {
		if p.key.text == name {
			return p.value
		}
	}
	return &value{line: v.line, col: v.col}
}

// has tells whether an object has a member.
func (v *value) has(name string) bool {
	for _, p := range v.pairs {
		if p.key.text == name {
			return true
		}
	}
	return false
}

// at is a text at the place of v.
func (v *value) at(s string) *value {
	return &value{kind: text, line: v.line, col: v.col, text: s}
}

// truth tells whether a value says true; CloudFormation takes texts as well, and YAML 1.1's words.
func (v *value) truth() bool {
	switch strings.ToLower(v.text) {
	case "true", "yes", "on":
		return true
	}
	return false
}

// number gives a number, 0 where there is none.
func (v *value) number() float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64)
	if err != nil {
		return 0
	}
	return n
}

// texts gives the texts of a list, or of a text that stands for a list of one.
func (v *value) texts() []string {
	if v.kind == text {
		return []string{v.text}
	}
	var all []string
	for _, item := range v.items {
		if item.kind == text {
			all = append(all, item.text)
		}
	}
	return all
}

// dictionary gives the texts of an object by name.
func (v *value) dictionary() map[string]string {
	all := make(map[string]string, len(v.pairs))
	for _, p := range v.pairs {
		if p.value.kind == text {
			all[p.key.text] = p.value.text
		}
	}
	return all
}

// describe names the kind for people.
func (v *value) describe() string {
	return [...]string{"nothing", "a text", "a list", "an object"}[v.kind]
}
