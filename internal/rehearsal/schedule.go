package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/confab-chat/confab/lambdahost"
	"github.com/confab-chat/confab/stack"
)

// scheduled is when schedules call their functions next. A schedule begins, or begins anew, when
// it is first seen with its rate, and calls after its time, as on AWS.
type scheduled struct {
	mu   sync.Mutex
	next map[string]time.Time
}

// due gives those of the schedules whose time has come.
func (s *scheduled) due(now time.Time, all []*stack.Schedule) (due []*stack.Schedule) {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := map[string]time.Time{}
	for i, one := range all {
		key := fmt.Sprintf("%s %s %d %v", one.LogicalID, one.Function.Name, i, one.Every)
		at, known := s.next[key]
		switch {
		case !known:
			at = now.Add(one.Every)
		case !now.Before(at):
			due = append(due, one)
			at = now.Add(one.Every)
		}
		next[key] = at
	}
	s.next = next
	return due
}

// schedule looks at the schedules each second until ctx ends.
func (r *Runner) schedule(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		r.tick(ctx, time.Now())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tick calls the functions of the schedules that are due. As on AWS nobody waits for their answers.
func (r *Runner) tick(ctx context.Context, now time.Time) {
	s := r.current()
	for _, one := range r.scheduled.due(now, s.Schedules) {
		in := lambdahost.Input{
			Function: one.Function.Name, Qualifier: one.Qualifier, Type: lambdahost.Event,
			Payload: []byte(one.Input),
		}
		if one.Input == "" {
			in.Payload = scheduleEvent(s, one, now)
		}
		if _, err := r.host.Invoke(ctx, in); err != nil {
			r.journal.Note(fmt.Sprintf("the schedule %s has not called %s: %v", one.LogicalID,
				one.Function.LogicalID, err))
		}
	}
}

// scheduleEvent is what EventBridge sends for a rule without an input (User Guide, "Creating a rule
// that runs on a schedule", with its example of an event).
func scheduleEvent(s *stack.Stack, one *stack.Schedule, now time.Time) []byte {
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": newRequestID(), "detail-type": "Scheduled Event",
		"source": "aws.events", "account": s.Account, "region": s.Region,
		"time": now.UTC().Format(time.RFC3339), "resources": []string{one.ARN}, "detail": struct{}{},
	})
	if err != nil {
		return nil // it is made of texts
	}
	return event
}
