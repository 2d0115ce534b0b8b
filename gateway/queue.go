package gateway

// queue is what waits for a slow client: references to batches, bounded by the messages and bytes
// in it.
type queue struct {
	entries []entry
	frames  int // messages, as Config.MaxQueueFrames counts them
	bytes   int
}

// entry is bytes[from:to] of a batch, where to is the end of a message.
type entry struct {
	batch    *batch
	from, to int
}

// add queues the messages of b from byte n on. A message that has been begun must be finished;
// the others are taken while there is room. It gives the cause when some were not.
func (q *queue) add(b *batch, n int, limits *Config, must bool) Cause {
	from, begun := n, n > 0
	for _, end := range b.ends {
		if end <= n {
			begun = n > end
			continue
		}
		if !must && !begun {
			if q.frames >= limits.MaxQueueFrames {
				return CauseFrames
			}
			if q.bytes+end-from > limits.MaxQueueBytes {
				return CauseBytes
			}
		}
		q.push(b, from, end)
		from, begun = end, false
	}
	return ""
}

// push queues one message, in the entry of the one before where it follows on it.
func (q *queue) push(b *batch, from, to int) {
	q.frames++
	q.bytes += to - from
	if last := len(q.entries) - 1; last >= 0 && q.entries[last].batch == b && q.entries[last].to == from {
		q.entries[last].to = to
		return
	}
	b.hold()
	q.entries = append(q.entries, entry{b, from, to})
}

// fill copies bytes from the front into buf without taking them.
func (q *queue) fill(buf []byte) (n int) {
	for _, e := range q.entries {
		n += copy(buf[n:], e.batch.bytes[e.from:e.to])
		if n == len(buf) {
			break
		}
	}
	return n
}

// take removes n bytes from the front.
func (q *queue) take(n int) {
	q.bytes -= n
	for n > 0 {
		e := &q.entries[0]
		from := e.from
		e.from = min(e.to, from+n)
		n -= e.from - from
		for _, end := range e.batch.ends {
			if end > from && end <= e.from {
				q.frames--
			}
		}
		if e.from == e.to {
			e.batch.release()
			q.entries[0] = entry{}
			q.entries = q.entries[1:]
		}
	}
	if len(q.entries) == 0 {
		q.entries = nil
	}
}

// truncate drops all but the rest of a message that the client has received a part of.
func (q *queue) truncate() {
	var first entry
	if len(q.entries) > 0 {
		first = q.entries[0]
		first.batch.hold()
		defer first.batch.release()
	}
	q.clear()
	if first.batch == nil || first.from == 0 {
		return
	}
	for _, end := range first.batch.ends {
		if end == first.from {
			return
		}
		if end > first.from {
			q.push(first.batch, first.from, end)
			return
		}
	}
}

// clear drops everything.
func (q *queue) clear() {
	for _, e := range q.entries {
		e.batch.release()
	}
	*q = queue{}
}
