package stack

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

// Schedule calls a function at a rate: a rule of EventBridge, or an event of SAM that is one. A
// Deployment does not see to it; who runs the stack does.
type Schedule struct {
	LogicalID string // of the rule; SAM's is that of the function and the event's
	Line      int    // of the template
	Function  *Function
	Qualifier string // version or alias of the function; "": none
	Every     time.Duration
	Input     string // JSON; "": the event that EventBridge makes of the schedule
	ARN       string // of the rule
}

// rate is an expression of EventBridge (User Guide, "Setting a schedule pattern for scheduled
// rules": one minute, and two minutes).
var (
	rate  = regexp.MustCompile(`^rate\((?:1 (minute|hour|day)|([2-9]|[1-9]\d{1,5}) (minute|hour|day)s)\)$`)
	units = map[string]time.Duration{
		"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
	}
)

// schedules makes the schedules that run here: those with a rate. It names the rest.
func (b *builder) schedules() {
	for _, r := range b.ofType(typeRule) {
		expression := b.prop(r, "ScheduleExpression")
		if expression.kind == null {
			b.warnf(r.id, r.entry, "events do not run here: the rule calls nothing")
			continue
		}
		for _, to := range b.prop(r, "Targets").items {
			f, qualifier, refused := b.target(to.get("Arn").text)
			if refused != "" || to.has("InputPath") || to.has("InputTransformer") {
				b.warnf(r.id, to, "the target does not run here, only functions do, with an Input"+
					" or none: the schedule does not call it")
				continue
			}
			b.schedule(r, Schedule{
				Function: f, Qualifier: qualifier, Input: to.get("Input").text,
			}, expression, b.prop(r, "State").text)
		}
	}
	for _, r := range b.ofType(typeSAMFunction) {
		for _, p := range b.prop(r, "Events").pairs {
			event := p.value.get("Properties")
			if p.value.get("Type").text != "Schedule" {
				continue
			}
			state := event.get("State").text
			if enabled := event.get("Enabled"); enabled.kind == text && !enabled.truth() {
				state = "DISABLED"
			}
			rule := &resource{
				id: r.id + p.key.text, typ: typeRule, entry: p.key, props: &value{kind: object},
			}
			b.schedule(rule, Schedule{
				Function: b.stack.Function(r.id), Input: event.get("Input").text,
			}, event.get("Schedule"), state)
		}
	}
}

// schedule adds a rule's schedule, unless it does not run here or is switched off.
func (b *builder) schedule(rule *resource, s Schedule, expression *value, state string) {
	m := rate.FindStringSubmatch(expression.text)
	switch {
	case m == nil:
		b.warnf(rule.id, expression, "the schedule %s does not run here, only those do as"+
			" rate(1 minute) and rate(5 minutes): it calls nothing", expression.text)
		return
	case s.Input != "" && !json.Valid([]byte(s.Input)):
		b.errorf(rule.id, expression, "the Input of the schedule is no JSON")
		return
	case state == "DISABLED" || s.Function == nil || s.Function.Refused != "":
		return
	}
	n, _ := strconv.Atoi(cmp.Or(m[2], "1")) // of digits
	s.Every = time.Duration(n) * units[m[1]+m[3]]
	s.LogicalID, s.Line = rule.id, rule.entry.line
	name, err := b.name(rule)
	if err != nil {
		b.problems.failed(rule.id, err)
	}
	s.ARN = b.arn(rule, name)
	b.stack.Schedules = append(b.stack.Schedules, &s)
}
