package wire

import "unicode/utf8"

// Decode reads a frame of a client.
//
// It accepts less than RFC 8259 does, so that no two readers take one frame for different
// things: no key twice, no known name in other case, no text that is not Unicode, at most
// [MaxDepth] levels. Members it does not know are ignored. Whether a name is a good one is the
// domain's to say.
//
// An error is an *[Error]; the Action then has its ID, where that could be read, and nothing
// else that counts. Payload is a part of frame; everything else is a copy.
func Decode(frame []byte) (Action, error) { return NativeDialect.Decode(frame) }

// Decode reads a frame of a client that speaks the dialect, as the function [Decode] does. Every
// dialect has the actions of all; the seed dialects take "$sendPublic" for sendPublic besides.
func (d Dialect) Decode(frame []byte) (Action, error) {
	return decodeAction(frame, d != NativeDialect)
}

func decodeAction(frame []byte, seed bool) (Action, error) {
	d := decoder{scanner: scanner{text: frame}}
	d.scan()
	a := Action{}
	idOK := d.id(&a)
	if d.err != nil {
		return a, d.err
	}
	s, err := d.action(seed)
	if err != nil {
		return a, err
	}
	a.Name = s.name
	if s.as != "" {
		a.Name, a.Alias = s.as, s.name
	}
	if !idOK {
		return a, badField("id", "id must be a string of 1 to 64 bytes")
	}
	if err := d.fill(&a, s); err != nil {
		return a, err
	}
	return a, nil
}

func badField(field, message string) *Error {
	return &Error{Code: BadField, Field: field, Message: message}
}

// decoder knows where the known members of a frame stand.
type decoder struct {
	scanner
	values [fieldCount]value
	given  uint32 // a bit for each field that is there
}

// scan reads the frame through and finds the known members.
func (d *decoder) scan() {
	if !utf8.Valid(d.text) {
		d.refuse(BadJSON, "", "the frame is not valid UTF-8, which JSON has to be")
	}
	if d.peek() != '{' {
		d.unexpected("opening {")
		return
	}
	var others keys
	d.pos++
	for first := true; ; first = false {
		key, more := d.member(first)
		if !more {
			break
		}
		f, known := fieldOf[string(key)]
		switch {
		case known && d.given&(1<<f) != 0, !known && !others.add(key):
			d.duplicate(key)
			known = false
		case !known:
			d.checkCase(key)
		}
		v := d.value(1)
		if d.stopped {
			return
		}
		if known {
			d.values[f] = v
			d.given |= 1 << f
		}
	}
	if !d.stopped && (d.peek() != 0 || d.pos < len(d.text)) {
		d.stop("at byte %d, after its end, there is more", d.pos)
	}
}

// checkCase refuses a key that is a known name but for its case.
func (s *scanner) checkCase(key []byte) {
	const longest = 2 * len("apigw_endpoint") // every letter as the longest that folds to it
	if len(key) > longest {
		return
	}
	var buffer [longest]byte
	if f, ok := foldedField[string(fold(buffer[:0], key))]; ok {
		name := fieldNames[f]
		s.refuse(BadField, string(key), show(key)+" is not known: "+name+" is written so")
	}
}

// id reads the request's id and tells whether it is a good one or none.
func (d *decoder) id(a *Action) bool {
	v := d.values[fieldID]
	if v.kind == 0 {
		return true
	}
	if v.kind != '"' || v.lone {
		return false
	}
	id := d.textOf(v)
	if id == "" || len(id) > MaxID || !utf8.ValidString(id) {
		return false
	}
	a.ID = id
	return true
}

// action finds the frame's action in the table.
func (d *decoder) action(seed bool) (*spec, error) {
	v := d.values[fieldAction]
	switch {
	case v.kind == 0:
		return nil, badField("action", "action is missing: it is one of "+validNames)
	case v.kind != '"':
		return nil, badField("action", "action must be a string: one of "+validNames)
	}
	name := d.text[v.start+1 : v.end-1]
	if v.escaped {
		name = []byte(unquote(name))
	}
	if seed && string(name) == dollarSendPublic {
		name = name[1:]
	}
	if s := specOf[string(name)]; s != nil {
		return s, nil
	}
	return nil, &Error{
		Code: UnknownAction, Field: "action",
		Message: "the action " + show(name) + " is not known: it is one of " + validNames,
	}
}

// fill reads the members of the action.
func (d *decoder) fill(a *Action, s *spec) error {
	if forbidden := d.given & claims; forbidden != 0 {
		for f := range fieldCount {
			if forbidden&(1<<f) != 0 && !s.defines(f) {
				return badField(fieldNames[f], fieldNames[f]+" is not for "+s.name+
					" to give: the server says it")
			}
		}
	}
	for _, p := range s.params {
		if d.given&(1<<p.field) == 0 {
			if p.required {
				name := fieldNames[p.field]
				return badField(name, name+" is missing: "+s.name+" needs it, "+kindText[p.kind])
			}
			continue
		}
		if err := d.read(a, p); err != nil {
			return err
		}
	}
	return together(a, s)
}

// together checks members that are fine by themselves.
func together(a *Action, s *spec) error {
	switch {
	case a.HasAfter && a.HasBefore:
		return badField("before", "after and before cannot be given together")
	case s.name == SendMessage && a.Room != "" && a.To != "":
		return badField("to", "to and room cannot be given together")
	case s.name == Send && a.SentBy == "" && a.SendBy == "":
		return badField("sent_by", "sent_by (or send_by) is missing: send needs it, your own name")
	}
	return nil
}
