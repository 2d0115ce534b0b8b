package stack

import "cmp"

// checkRules refuses parameters that the template's Rules refuse (CloudFormation User Guide, "Rules
// section"). Of their functions those that conditions have too, and Fn::Contains, are known here.
func (t *template) checkRules() {
	for _, rule := range t.root.get("Rules").pairs {
		name, body := rule.key, rule.value
		applies, err := true, error(nil)
		if body.has("RuleCondition") {
			applies, err = t.ruleHolds(body.get("RuleCondition"))
		}
		for _, assertion := range body.get("Assertions").items {
			if err != nil || !applies {
				break
			}
			var holds bool
			if holds, err = t.ruleHolds(assertion.get("Assert")); err == nil && !holds {
				why := cmp.Or(assertion.get("AssertDescription").text, "an assertion does not hold")
				t.errorf(name.text, name, "the rule %s refuses these parameters: %s", name.text, why)
			}
		}
		if err != nil {
			t.infof(name.text, name, "the rule %s is not checked here: %s", name.text, err)
		}
	}
}

// ruleHolds evaluates a condition of a rule.
func (t *template) ruleHolds(v *value) (bool, error) {
	if !isCall(v) {
		return false, fail(v, "this is no condition")
	}
	return t.holds(v.pairs[0].key, v.pairs[0].value)
}
