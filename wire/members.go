package wire

// read reads one member that is there.
func (d *decoder) read(a *Action, p param) error {
	v := d.values[p.field]
	ok := true
	switch p.kind {
	case aName, aCursor:
		if ok = v.kind == '"' && (p.kind == aCursor || v.end-v.start > 2); ok {
			*a.stringOf(p.field) = d.textOf(v)
		}
	case aText:
		return d.message(a, v)
	case aNumber:
		var n uint64
		n, ok = d.integer(v)
		a.setNumber(p.field, n)
	case aLimit:
		var n uint64
		n, ok = d.integer(v)
		ok = ok && 1 <= n && n <= MaxLimit
		a.Limit = int(min(n, MaxLimit))
	case aFlag:
		ok = v.kind == 't' || v.kind == 'f'
		a.Private = v.kind == 't'
	case anyJSON:
		a.Payload = d.text[v.start:v.end:v.end]
	case aResume:
		return d.resume(a, v)
	}
	if !ok {
		return badField(fieldNames[p.field], fieldNames[p.field]+" must be "+kindText[p.kind])
	}
	return nil
}

// stringOf gives the place of a member that is a name or a cursor.
func (a *Action) stringOf(f field) *string {
	switch f {
	case fieldRoom:
		return &a.Room
	case fieldUser:
		return &a.User
	case fieldTo, fieldSendTo:
		return &a.To
	case fieldSentBy:
		return &a.SentBy
	case fieldSendBy:
		return &a.SendBy
	case fieldEndpoint:
		return &a.Endpoint
	case fieldName:
		return &a.NewName
	case fieldConnectionID:
		return &a.ConnectionID
	case fieldOperationType:
		return &a.OperationType
	}
	return &a.Cursor
}

// setNumber sets a member that is a message number.
func (a *Action) setNumber(f field, n uint64) {
	switch f {
	case fieldAfter:
		a.After, a.HasAfter = n, true
	case fieldBefore:
		a.Before, a.HasBefore = n, true
	default:
		a.Seq = n
	}
}

// message reads a message's text. What a text may hold is the domain's rule.
func (d *decoder) message(a *Action, v value) error {
	if v.kind != '"' || v.end-v.start == 2 {
		return badField("message", "message must be "+kindText[aText])
	}
	a.Text = d.textOf(v)
	return nil
}

// resume reads the cursors of hello.
func (d *decoder) resume(a *Action, v value) error {
	wrong := badField("resume", "resume must be "+kindText[aResume])
	if v.kind != '{' {
		return wrong
	}
	s := scanner{text: d.text, pos: v.start + 1}
	for first := true; ; first = false {
		room, more := s.member(first)
		if !more {
			return nil
		}
		if len(a.Resume) == MaxResume {
			return &Error{Code: TooLarge, Field: "resume", Message: "resume has over 200 rooms"}
		}
		if s.peek() != '{' {
			return wrong
		}
		r := Resume{Room: string(room)}
		if err := s.cursor(&r); err != nil {
			return err
		}
		a.Resume = append(a.Resume, r)
	}
}

// cursor reads one object of resume.
func (s *scanner) cursor(r *Resume) error {
	var epoch, seq value
	s.pos++
	for first := true; ; first = false {
		key, more := s.member(first)
		if !more {
			break
		}
		switch v := s.value(0); string(key) {
		case "epoch":
			epoch = v
		case "seq":
			seq = v
		default:
			s.checkCase(key)
		}
	}
	if s.err != nil {
		return s.err
	}
	n, ok := s.integer(seq)
	switch {
	case epoch.kind != '"':
		return badField("resume", "epoch of "+show(r.Room)+" in resume must be a string")
	case !ok:
		return badField("resume", "seq of "+show(r.Room)+" in resume must be "+kindText[aNumber])
	}
	r.Epoch, r.Seq = s.textOf(epoch), n
	return nil
}

// textOf decodes a string.
func (s *scanner) textOf(v value) string {
	inside := s.text[v.start+1 : v.end-1]
	if v.escaped {
		return unquote(inside)
	}
	return string(inside)
}

// integer reads a number that is written in digits alone.
func (s *scanner) integer(v value) (uint64, bool) {
	const most = len("9007199254740991")
	if v.kind != '0' || v.end-v.start > most {
		return 0, false
	}
	var n uint64
	for _, c := range s.text[v.start:v.end] {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, n <= MaxInteger
}
