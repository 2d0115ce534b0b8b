package stack_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/confab-chat/confab/stack"
)

// ruled has a rule as the User Guide has them: a condition, and assertions that must hold where it
// does. CloudFormation makes no stack of parameters that a rule refuses.
const ruled = `Parameters:
  Issuer: {Type: String, Default: ""}
  Audience: {Type: String, Default: ""}
Rules:
  NeedsAudience:
    RuleCondition: !Not [!Equals [!Ref Issuer, ""]]
    Assertions:
      - Assert: !Not [!Equals [!Ref Audience, ""]]
        AssertDescription: An issuer needs an audience
  Listed:
    Assertions:
      - Assert: !Contains [[a, ""], !Ref Audience]
  Unknown:
    Assertions:
      - Assert: !EachMemberIn [[a, b], !RefAll "AWS::EC2::VPC::Id"]
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: x, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
`

// TestLoad_Rules refuses parameters that a rule refuses, and says which rule it cannot check.
func TestLoad_Rules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(ruled), 0o600); err != nil {
		t.Fatal(err)
	}
	const refused = " refuses these parameters: "
	for name, c := range map[string]struct {
		given map[string]string
		want  string
	}{
		"condition does not hold": {nil, ""},
		"assertion holds":         {map[string]string{"Issuer": "i", "Audience": "a"}, ""},
		"assertion does not hold": {
			map[string]string{"Issuer": "i"}, "error: NeedsAudience: the rule NeedsAudience" + refused +
				"An issuer needs an audience",
		},
		"without a sentence": {
			map[string]string{"Audience": "b"}, "error: Listed: the rule Listed" + refused +
				"an assertion does not hold",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, diagnostics, err := stack.Load(stack.Options{Dir: dir, Parameters: c.given})
			if s != nil {
				defer s.Close()
			}
			said := lines(diagnostics)
			if (err != nil) != (c.want != "") || !strings.Contains(said, c.want) ||
				strings.Contains(said, refused) != (c.want != "") {
				t.Errorf("%v, want %q\n%s", err, c.want, said)
			}
			if !strings.Contains(said, "info: Unknown: the rule Unknown is not checked here") {
				t.Errorf("nothing is said of the other rule:\n%s", said)
			}
		})
	}
}
