package stack_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/confab-chat/confab/stack"
)

// TestLoad_Schedules finds the schedules that run here, and names the rest.
func TestLoad_Schedules(t *testing.T) {
	t.Parallel()
	const rules = `  Work:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      InlineCode: exports.handler = async () => {}
      Events:
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day), Input: '{"day": 1}'}}
        Off: {Type: Schedule, Properties: {Schedule: rate(1 day), Enabled: false}}
        Nights: {Type: Schedule, Properties: {Schedule: 'cron(0 3 * * ? *)'}}
  Often:
    Type: AWS::Events::Rule
    Properties: {Name: often, ScheduleExpression: rate(1 minute), Targets: [{Id: a, Arn: !GetAtt Work.Arn, Input: '{}'}]}
  Rarely:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(12 hours), State: ENABLED, Targets: [{Id: a, Arn: !GetAtt Work.Arn}]}
  Never:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(2 minutes), State: DISABLED, Targets: [{Id: a, Arn: !GetAtt Work.Arn}]}
  Wrong:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 minutes), Targets: [{Id: a, Arn: !GetAtt Work.Arn}]}
  Elsewhere:
    Type: AWS::Events::Rule
    Properties: {ScheduleExpression: rate(1 hour), Targets: [{Id: a, Arn: "arn:aws:sqs:us-east-1:1:q"}]}
  Event:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [aws.s3]}, Targets: [{Id: a, Arn: !GetAtt Work.Arn}]}
`
	text := "Transform: AWS::Serverless-2016-10-31\n" + strings.Replace(small, "Outputs:", rules+"Outputs:", 1)
	dir := files(t, &txtar.Archive{Files: []txtar.File{{Name: "template.yaml", Data: []byte(text)}}})
	s, diagnostics := load(t, stack.Options{Dir: dir})
	var got []string
	for _, one := range s.Schedules {
		got = append(got, fmt.Sprint(one.LogicalID, one.Function.LogicalID, " ", one.Every, one.Input, " ", one.ARN))
	}
	const arn = "arn:aws:events:us-east-1:000000000000:rule/"
	want := []string{
		"OftenWork 1m0s{} " + arn + "often", "RarelyWork 12h0m0s " + arn + "notes-Rarely",
		`WorkDailyWork 24h0m0s{"day": 1} ` + arn + "notes-WorkDaily",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	named := map[string]stack.Severity{}
	for _, d := range diagnostics {
		named[d.Resource] = d.Severity
	}
	for _, id := range []string{"WorkNights", "Wrong", "Elsewhere", "Event"} {
		if severity, ok := named[id]; !ok || severity != stack.Warning {
			t.Errorf("%s is not named:\n%s", id, lines(diagnostics))
		}
		delete(named, id)
	}
	if len(named) > 0 {
		t.Errorf("more is named:\n%s", lines(diagnostics))
	}
}
