package checker

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Linear tells whether one order of the appends and readings explains all answers: each takes
// effect at one moment between its start and its answer. An append whose answer is not known takes
// effect at some time after its start if it is in the log, else never. A check that does not end
// within the limit is an error as well.
func (h *History) Linear(limit time.Duration) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	messages := h.messages()
	for _, room := range slices.Sorted(maps.Keys(h.logs)) {
		operations := h.operations(room, messages)
		result := porcupine.CheckOperationsTimeout(model, operations, limit)
		if result != porcupine.Ok {
			return fmt.Errorf("%s: %d operations are not linearizable: %s", room, len(operations), result)
		}
	}
	return nil
}

// operations gives the appends and readings of a room.
func (h *History) operations(room string, messages map[key]*message) []porcupine.Operation {
	var all []porcupine.Operation
	stored := map[key]Entry{}
	for _, e := range h.log(room) {
		if e.Void {
			all = append(all, porcupine.Operation{Input: &e, Call: 0, Return: math.MaxInt64})
		} else {
			stored[key{room, e.From, e.ID}] = e
		}
	}
	for k, m := range messages {
		if k.room != room || m.outcome == nacked {
			continue
		}
		e, end := m.Entry, m.ended
		if m.outcome == open {
			found, ok := stored[k]
			if !ok {
				continue
			}
			e.Seq, end = found.Seq, math.MaxInt64
		}
		all = append(all, porcupine.Operation{Input: &e, Call: m.call, Return: end})
	}
	for _, read := range h.reads {
		if read.room == room && read.ended != 0 {
			all = append(all, porcupine.Operation{Input: read, Call: read.call, Return: read.ended})
		}
	}
	return all
}

// model is a log: an append (an *Entry) puts the next number behind the last, a reading (a *Read)
// shows what follows a number, to the end unless it says that there is more. Its state is the log
// as []*Entry, never written to.
var model = porcupine.Model{
	Init: func() any { return []*Entry(nil) },
	Step: func(state, input, _ any) (bool, any) {
		log := state.([]*Entry)
		switch op := input.(type) {
		case *Entry:
			if op.Seq != uint64(len(log)+1) {
				return false, log
			}
			return true, append(slices.Clip(log), op)
		case *Read:
			return op.explainedBy(log), log
		}
		return false, log
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]*Entry), b.([]*Entry)) },
	Hash:  func(state any) uint64 { return uint64(len(state.([]*Entry))) },
}

// explainedBy tells whether the log answers so.
func (r *Read) explainedBy(log []*Entry) bool {
	rest := log[min(r.after, uint64(len(log))):]
	if len(r.entries) > len(rest) || len(r.entries) < len(rest) && !r.more {
		return false
	}
	for i, e := range r.entries {
		if !e.same(*rest[i]) {
			return false
		}
	}
	return true
}
