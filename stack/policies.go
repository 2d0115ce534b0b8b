package stack

import (
	"slices"
	"strings"
)

// checkLogging says what the logs of a stage need on AWS.
func (b *builder) checkLogging() {
	if len(b.ofType("AWS::ApiGateway::Account")) > 0 {
		return
	}
	for _, s := range b.ofType(typeStage, typeSocketAPI) {
		level := b.prop(s, "DefaultRouteSettings", "LoggingLevel").text
		if b.prop(s, "AccessLogSettings").kind == object || level != "" && level != "OFF" {
			b.infof(s.id, s.entry, "logs of a stage need a role in the account's settings, once"+
				" a region: AWS::ApiGateway::Account sets it, and without it AWS refuses the"+
				" stage")
		}
	}
}

// Statement is a statement of a policy, with its references resolved. Nothing here enforces it.
type Statement struct {
	Effect    string // Allow or Deny
	Actions   []string
	Resources []string
}

// policies gives the statements that stand in the template for a function: in its own policies, as
// SAM has them, or in those of its role. What AWS manages and SAM's policy templates are left out.
func (b *builder) policies(r *resource) []Statement {
	all := b.documents(r.props.get("Policies"))
	arn := b.prop(r, "Role").text
	for _, role := range b.ofType(typeRole) {
		name, err := b.name(role)
		if err != nil || arn == "" || b.arn(role, name) != arn {
			continue
		}
		all = append(all, b.documents(role.props.get("Policies"))...)
		for _, policy := range b.ofType("AWS::IAM::Policy") {
			if slices.Contains(b.prop(policy, "Roles").texts(), name) {
				all = append(all, b.documents(policy.props.get("PolicyDocument"))...)
			}
		}
	}
	return all
}

// documents reads the statements of policies: a document, or a list of what has one. They have no
// effect here, so that nothing fails that cannot be resolved.
func (b *builder) documents(v *value) []Statement {
	v, err := b.resolve(v)
	if err != nil {
		return nil
	}
	policies := v.items
	if v.kind == object {
		policies = []*value{v}
	}
	var all []Statement
	for _, p := range policies {
		if p.has("PolicyDocument") {
			p = p.get("PolicyDocument")
		}
		statements := p.get("Statement")
		if statements.kind == object {
			statements = &value{items: []*value{statements}}
		}
		for _, s := range statements.items {
			all = append(all, Statement{
				s.get("Effect").text, s.get("Action").texts(), s.get("Resource").texts(),
			})
		}
	}
	return all
}

// checkPolicies looks at what the template's policies let functions do.
func (b *builder) checkPolicies() {
	for _, r := range b.ofType(typeRole, typeSAMFunction, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy") {
		b.statements(r, r.props)
	}
}

// statements finds the statements in a value.
func (b *builder) statements(r *resource, v *value) {
	for _, item := range v.items {
		b.statements(r, item)
	}
	for _, p := range v.pairs {
		switch {
		case p.key.text == "AssumeRolePolicyDocument":
		case p.key.text == "Statement" && p.value.kind == list:
			for _, one := range p.value.items {
				b.statement(r, one)
			}
		case p.key.text == "Statement":
			b.statement(r, p.value)
		default:
			b.statements(r, p.value)
		}
	}
}

// onOne are services whose actions are meant for a resource.
var onOne = []string{"dynamodb:", "execute-api:", "lambda:Invoke", "sqs:", "sns:Publish", "s3:"}

// statement looks at one statement. What cannot be resolved has been named, or has no effect here.
func (b *builder) statement(r *resource, unresolved *value) {
	s, err := b.resolve(unresolved)
	if err != nil || s.get("Effect").text != "Allow" {
		return
	}
	actions, on := s.get("Action"), s.get("Resource")
	manages := slices.ContainsFunc(actions.texts(), func(a string) bool {
		return glob("execute-api:ManageConnections", a)
	})
	targets := on.items
	if on.kind == text {
		targets = []*value{on}
	}
	for _, target := range targets {
		switch {
		case target.text == "*" && slices.ContainsFunc(actions.texts(), func(a string) bool {
			return a == "*" || begins(onOne, a)
		}):
			b.warnf(r.id, target, "the resource * lets the function do %s with everything in the"+
				" account", strings.Join(actions.texts(), ", "))
		case manages && strings.HasPrefix(target.text, "arn:") && strings.Contains(target.text, ":execute-api:") &&
			!strings.HasSuffix(target.text, "*") && !strings.HasSuffix(target.text,
			"{connectionId}"):
			b.warnf(r.id, target, "the resource %s matches no connection: AWS compares it with"+
				" …/POST/@connections/{connectionId}, so let it end in /*", target.text)
		}
	}
}

// checkDomains names endpoints that have a stage after a custom domain whose mapping has none.
func (b *builder) checkDomains() {
	for _, m := range b.ofType("AWS::ApiGatewayV2::ApiMapping") {
		domain, key := b.text(m, "DomainName"), b.text(m, "ApiMappingKey")
		if domain == "" {
			continue
		}
		for _, f := range b.stack.Functions {
			for name, v := range f.Lambda.Env {
				_, path, ok := strings.Cut(v, "://"+domain+"/")
				if ok && strings.Trim(path, "/") != key {
					b.warnf(f.LogicalID, b.byID[f.LogicalID].entry, "the variable %s is %s, and"+
						" the domain's mapping leads to %q: a custom domain has no stage in its"+
						" path", name, v, key)
				}
			}
		}
	}
}
