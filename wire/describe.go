package wire

import "slices"

// ActionMember is a member of an action as generators of clients need it.
type ActionMember struct {
	Name     string
	Kind     string // string, number, boolean, json, or cursors: those of hello
	Required bool
}

// ActionMembers gives the members of an action of the native protocol beside action and id; ok is
// false for one that is not, or only an alias.
func ActionMembers(action string) (members []ActionMember, ok bool) {
	s := specOf[action]
	if s == nil || s.as != "" {
		return nil, false
	}
	for _, p := range s.params {
		if p.field == fieldEndpoint { // means something in the seed dialects alone
			continue
		}
		members = append(members, ActionMember{fieldNames[p.field], kindName[p.kind], p.required})
	}
	return slices.Clip(members), true
}

var kindName = [...]string{
	aName: "string", aText: "string", aCursor: "string", aNumber: "number", aLimit: "number",
	aFlag: "boolean", anyJSON: "json", aResume: "cursors",
}

// Codes lists the codes of error events, in the order of the document.
func Codes() []Code {
	return []Code{
		BadJSON, BadField, UnknownAction, NotFound, NotMember, Forbidden, Taken, IDReused, TooLarge,
		RateLimited, Unavailable, UnknownOutcome, InternalError,
	}
}
