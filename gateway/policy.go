package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
)

// verdict is what an authorizer says.
type verdict struct {
	principal *string           // nil: it names none, which WebSocket APIs take
	context   map[string]string // the values as text
	usageKey  string            // usageIdentifierKey, an API key
	policy    []statement
}

// statement is one of a policy.
type statement struct {
	deny                 bool
	actions, resources   []string
	notAction, notOnThem bool // NotAction, NotResource
}

// readVerdict reads an authorizer's result. What AWS cannot use is errVerdict.
func readVerdict(text []byte) (verdict, error) {
	v := verdict{context: map[string]string{}}
	members, err := partOf(text)
	if err != nil {
		return v, err
	}
	if !absent(members["isAuthorized"]) {
		return v, fmt.Errorf("%w: simple responses are for HTTP APIs", errVerdict)
	}
	if raw := members["principalId"]; !absent(raw) {
		text, err := scalar(raw, "principalId")
		if err != nil {
			return v, err
		}
		v.principal = &text
	}
	if raw := members["usageIdentifierKey"]; !absent(raw) {
		if v.usageKey, err = textOf(raw, "usageIdentifierKey"); err != nil {
			return v, err
		}
	}
	if raw := members["context"]; !absent(raw) {
		if v.context, err = flat(raw); err != nil {
			return v, err
		}
	}
	document, err := partOf(members["policyDocument"])
	if err != nil {
		return v, err
	}
	list, err := listOf(document["Statement"])
	if err != nil {
		return v, err
	}
	for _, raw := range list {
		s, err := readStatement(raw)
		if err != nil {
			return v, err
		}
		v.policy = append(v.policy, s)
	}
	return v, nil
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// membersOf reads an object with its names as they are spelled.
func membersOf(raw json.RawMessage) (members map[string]json.RawMessage, ok bool) {
	ok = !absent(raw) && json.Unmarshal(raw, &members) == nil
	return members, ok
}

// partOf reads an object of an authorizer's result.
func partOf(raw json.RawMessage) (map[string]json.RawMessage, error) {
	members, ok := membersOf(raw)
	if !ok {
		return nil, fmt.Errorf("%w: %.100q is no object", errVerdict, raw)
	}
	return members, nil
}

func textOf(raw json.RawMessage, name string) (text string, err error) {
	if absent(raw) || json.Unmarshal(raw, &text) != nil {
		return "", fmt.Errorf("%w: %s is no text", errVerdict, name)
	}
	return text, nil
}

// listOf reads an array, or what stands in the place of one with a single element.
func listOf(raw json.RawMessage) (list []json.RawMessage, err error) {
	if absent(raw) {
		return nil, fmt.Errorf("%w: a part of the policy is missing", errVerdict)
	}
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	return []json.RawMessage{raw}, nil
}

// flat turns the context's values into text and leaves null out. No other than text, numbers and
// booleans may be there.
func flat(raw json.RawMessage) (map[string]string, error) {
	members, err := partOf(raw)
	if err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(members))
	for name, value := range members {
		if absent(value) {
			continue
		}
		if texts[name], err = scalar(value, name); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// scalar reads a text, a number or a boolean as text.
func scalar(raw json.RawMessage, name string) (string, error) {
	if raw[0] == '{' || raw[0] == '[' {
		return "", fmt.Errorf("%w: %s is no text, number or boolean", errVerdict, name)
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	return textOf(raw, name)
}

func readStatement(raw json.RawMessage) (s statement, err error) {
	members, err := partOf(raw)
	if err != nil {
		return s, err
	}
	effect, err := textOf(members["Effect"], "Effect")
	if err != nil || effect != "Allow" && effect != "Deny" {
		return s, fmt.Errorf("%w: effect %q", errVerdict, effect)
	}
	if !absent(members["Condition"]) {
		return s, fmt.Errorf("%w: conditions are not supported here", errVerdict)
	}
	s.deny = effect == "Deny"
	if s.actions, s.notAction, err = patterns(members, "Action"); err != nil {
		return s, err
	}
	s.resources, s.notOnThem, err = patterns(members, "Resource")
	return s, err
}

// patterns reads a statement's Action or NotAction, Resource or NotResource.
func patterns(members map[string]json.RawMessage, name string) (list []string, not bool, err error) {
	raw := members[name]
	if absent(raw) {
		raw, not = members["Not"+name], true
	}
	values, err := listOf(raw)
	if err != nil {
		return nil, not, err
	}
	for _, value := range values {
		text, err := textOf(value, name)
		if err != nil {
			return nil, not, err
		}
		list = append(list, text)
	}
	return list, not, nil
}

// decide tells whether a policy allows invoking the resource, and whether it explicitly denies it.
func decide(policy []statement, resource string) (allowed, denied bool) {
	for _, s := range policy {
		if s.about("execute-api:invoke", resource) {
			allowed, denied = allowed || !s.deny, denied || s.deny
		}
	}
	return allowed && !denied, denied
}

func (s *statement) about(action, resource string) bool {
	onAction, onResource := false, false
	for _, p := range s.actions {
		onAction = onAction || glob(strings.ToLower(p), action)
	}
	for _, p := range s.resources {
		onResource = onResource || glob(p, resource)
	}
	return onAction != s.notAction && onResource != s.notOnThem
}

// glob matches a pattern in which * is any text and ? any character.
func glob(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
