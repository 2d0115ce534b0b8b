package stack

import (
	"strings"
)

// find finds a resource by its logical id, one that SAM generates too; nil: there is none.
func (t *template) find(id string) *resource {
	if r := t.byID[id]; r != nil {
		return r
	}
	return t.generate(id)
}

// generated tells whether SAM makes a resource with the id.
func (t *template) generated(id string) bool { return t.byID[id] == nil && t.generate(id) != nil }

// generate gives a resource that SAM makes of another: the role of a function, its version and
// alias; stage, routes, integrations and authorizer of a WebSocket API. What the documentation says
// of their ids differs from SAM's code in capitals, so that capitals do not count.
func (t *template) generate(id string) *resource {
	for _, r := range t.resources {
		rest, ok := strings.CutPrefix(id, r.id)
		if !ok || rest == "" || t.making[r] {
			continue
		}
		t.making[r] = true // what it is made of may refer to what is made
		made := t.made(r, id, rest)
		delete(t.making, r)
		if made != nil {
			return made
		}
	}
	return nil
}

// made gives what SAM makes of a resource, by the end of its id; nil: nothing.
func (t *template) made(r *resource, id, rest string) *resource {
	var typ string
	props := &value{kind: object, line: r.props.line, col: r.props.col}
	switch r.typ {
	case typeSAMFunction:
		typ = ofFunction(rest)
		name := t.prop(r, "AutoPublishAlias")
		if typ == typeAlias && name.text == "" {
			return nil
		}
		if typ == typeAlias || typ == typeVersion {
			ref := &value{kind: object, line: props.line, col: props.col}
			ref.set("Ref", r.id)
			props.pairs = append(props.pairs, pair{props.at("FunctionName"), ref})
			props.set("Name", name.text)
		}
	case typeSocketAPI:
		typ, id = t.ofSocketAPI(r, rest), r.id+strings.ToLower(rest)
		props.set("StageName", t.socketStage(r))
	}
	if typ == "" {
		return nil
	}
	return &resource{id: id, typ: typ, entry: r.entry, props: props}
}

// set adds a member to an object that is still being made.
func (v *value) set(name, s string) {
	v.pairs = append(v.pairs, pair{v.at(name), v.at(s)})
}

// ofFunction tells the type of what SAM makes of a function, by the end of its id.
func ofFunction(rest string) string {
	switch {
	case rest == "Role":
		return typeRole
	case strings.HasPrefix(rest, "Alias"), rest == ".Alias":
		return typeAlias
	case strings.HasPrefix(rest, "Version"), rest == ".Version":
		return typeVersion
	}
	return ""
}

// ofSocketAPI tells the type of what SAM makes of a WebSocket API, by the end of its id.
func (t *template) ofSocketAPI(r *resource, rest string) string {
	rest = strings.ToLower(rest)
	if rest == "stage" || rest == ".stage" {
		return typeStage
	}
	routes, err := t.resolveTop(r.props.get("Routes"))
	if err != nil {
		return ""
	}
	for _, p := range routes.pairs {
		end, ok := strings.CutPrefix(rest, strings.ToLower(strings.TrimPrefix(p.key.text, "$")))
		switch {
		case !ok:
		case end == "route":
			return typeRoute
		case end == "integration":
			return typeIntegration
		case end == "permission":
			return typePermission
		}
	}
	if strings.HasSuffix(rest, "authorizer") {
		return typeAuthorizer
	}
	return ""
}

// socketStage is the stage of a WebSocket API of SAM.
func (t *template) socketStage(r *resource) string {
	if name := t.text(r, "StageName"); name != "" {
		return name
	}
	return "default" // as the page sam-resource-websocketapi says
}
