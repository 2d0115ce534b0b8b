package rehearsal

// Begin notes that a function is invoked, for the event of an API with the id, or for itself.
func (j *Journal) Begin(requestID string, c Call) {
	j.mu.Lock()
	defer j.mu.Unlock()
	call := &c
	kind := "INVOKE"
	if requestID == "" {
		requestID = c.ID
	} else {
		kind = "" // the API tells
	}
	call.Entry, call.Began = j.entry(requestID, kind), j.now()
	call.Entry.Calls = append(call.Entry.Calls, call)
	if kind != "" {
		call.Entry.Route = c.Function
	}
	j.name(call.Entry, c.ID)
	j.calls[c.ID] = call
	if c.trace != "" {
		j.calls[c.trace] = call
	}
}

// End notes what an invocation has failed with, "" for nothing.
func (j *Journal) End(callID, failure string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.calls[callID]
	if c == nil {
		return
	}
	c.Ended, c.Error = true, failure
	if e := c.Entry; e.Kind == "INVOKE" {
		e.Status, e.Took = "done", j.now().Sub(c.Began)
		if failure != "" {
			e.Status, e.Reason = "failed", failure
		}
		j.print(e.ID, invokeLine(e, c))
	}
}

// Wrote keeps a line of a function's log and prints it.
func (j *Journal) Wrote(callID, function, line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := "-"
	if c := j.calls[callID]; c != nil {
		id = c.Entry.ID
		c.add(j, line)
	}
	j.print(id, "  "+function+" | "+line)
}

// add keeps a line as long as there is room.
func (c *Call) add(j *Journal, line string) {
	switch {
	case c.cut:
	case c.size+len(line) > maxLogBytes:
		c.cut = true
		c.Log = append(c.Log, "(the rest was not kept)")
	default:
		c.Log = append(c.Log, line)
		c.size += len(line) + 1 // so that empty lines end somewhere too
		j.logs += len(line) + 1
	}
}

// Figured notes how long an invocation took, and what it used.
func (j *Journal) Figured(callID, figures string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c := j.calls[callID]; c != nil {
		c.Figures = figures
	}
}

// Pushed notes a call of @connections: of the invocation with the trace, else of the function,
// whose newest invocation under way it is taken for, else of somebody else.
func (j *Journal) Pushed(p Push, trace, function string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p.At = j.now()
	c := j.calls[trace]
	if trace == "" || c == nil {
		c = j.newest(function)
	}
	if c == nil {
		e := j.entry(p.ID, "CALL")
		e.Route, e.Connection = p.Method+" @connections", p.Connection
		e.Status, e.Pushes = pushResult(p), append(e.Pushes, p)
		j.print(p.ID, pushLine(p))
		return
	}
	if len(c.Pushes) < maxPushes {
		j.name(c.Entry, p.ID)
		c.Pushes = append(c.Pushes, p)
	} else {
		c.more++
	}
	j.print(c.Entry.ID, "  "+pushLine(p))
}

// newest gives the invocation of a function that began last of those under way. j.mu is held.
func (j *Journal) newest(function string) *Call {
	for i := len(j.entries) - 1; i >= 0 && function != ""; i-- {
		for _, c := range j.entries[i].Calls {
			if c.Function == function && !c.Ended {
				return c
			}
		}
	}
	return nil
}

// Refused notes what was refused before it came to an event.
func (j *Journal) Refused(trace, function, sentence string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	c := j.calls[trace]
	if trace == "" || c == nil {
		c = j.newest(function)
	}
	id, who := "-", "refused: "
	if c != nil {
		id = c.Entry.ID
		c.add(j, "refused: "+sentence)
		who = "  " + c.Function + " was refused: "
	}
	j.print(id, who+sentence)
}

// started notes an invocation that no API has made.
func (j *Journal) started(callID, function string) {
	j.mu.Lock()
	known := j.calls[callID] != nil
	j.mu.Unlock()
	if !known {
		j.Begin("", Call{Function: function, Role: "invoked", ID: callID})
	}
}

// reported ends an invocation that no API has made; others end with their answer.
func (j *Journal) reported(callID, status, kind string) {
	j.mu.Lock()
	c := j.calls[callID]
	own := c != nil && c.Entry.Kind == "INVOKE"
	j.mu.Unlock()
	if own {
		failure := status
		if kind != "" {
			failure += ": " + kind
		}
		j.End(callID, failure)
	}
}

// warned prints what API Gateway merely tolerates in an answer, and keeps it with its request.
func (j *Journal) warned(requestID, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e := j.byID[requestID]; e != nil && len(e.Calls) > 0 {
		e.Calls[len(e.Calls)-1].add(j, "warning: "+text)
	}
	j.print(requestID, "  warning: "+text)
}
