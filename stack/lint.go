package stack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/confab-chat/confab/gateway"
)

// lint reports mistakes that show on AWS alone.
func (b *builder) lint() {
	for _, api := range b.stack.APIs {
		b.checkDeployments(api)
		b.checkPermissions(api)
		b.checkResponses(api)
	}
	b.checkLogging()
	b.checkPolicies()
	b.checkDomains()
}

// checkGateway makes the API of what has been read, so that what the gateway refuses has a line.
func (b *builder) checkGateway(api *API) {
	if b.problems.fatal() || len(api.Stages) == 0 {
		return // it has been said in more words
	}
	stub := gateway.HandlerFunc(nil)
	config := gateway.Config{
		RouteSelection: api.RouteSelection, APIKeySource: api.APIKeySource,
		APIID: api.ID,
	}
	for _, s := range api.Stages {
		stage := gateway.Stage{Name: s.Name, Routes: map[string]gateway.Route{}}
		for _, r := range s.Routes {
			stage.Routes[r.Key] = gateway.Route{Handler: stub, Timeout: r.Timeout}
		}
		config.Stages = append(config.Stages, stage)
	}
	if _, err := gateway.New(config); err != nil {
		b.errorf(api.LogicalID, api.at, "%s", strings.TrimPrefix(err.Error(), "gateway: "))
	}
}

// fatal tells whether an error is known.
func (p *problems) fatal() bool {
	return slices.ContainsFunc(p.list, func(d Diagnostic) bool { return d.Severity == Error })
}

// checkDeployments names the routes that a deployment may miss: those that it does not depend on.
func (b *builder) checkDeployments(api *API) {
	for _, s := range b.ofType(typeStage) {
		if b.text(s, "ApiId") != api.ID || b.prop(s, "AutoDeploy").truth() {
			continue
		}
		wanted := b.text(s, "DeploymentId")
		deployments := b.ofType(typeDeployment)
		i := slices.IndexFunc(deployments, func(d *resource) bool {
			id, err := b.physical(d)
			return err == nil && id == wanted
		})
		if i < 0 {
			b.warnf(s.id, s.entry, "the stage has neither a DeploymentId of this template nor"+
				" AutoDeploy: on AWS it may have no routes")
			continue
		}
		reached := map[string]bool{}
		b.reach(deployments[i], reached)
		var missed []string
		for _, route := range api.routes {
			if !reached[route.LogicalID] {
				missed = append(missed, route.Key)
			}
		}
		if len(missed) > 0 {
			b.warnf(deployments[i].id, deployments[i].entry, "the deployment may miss the routes"+
				" %s on AWS: name them in DependsOn", strings.Join(missed, ", "))
		}
	}
}

// reach collects what a resource depends on, itself too.
func (b *builder) reach(r *resource, reached map[string]bool) {
	if r == nil || reached[r.id] {
		return
	}
	reached[r.id] = true
	for _, id := range r.depends {
		b.reach(b.byID[id], reached)
	}
	b.mentioned(r.props, func(id string) { b.reach(b.byID[id], reached) })
}

// mentioned calls f with the logical id of each reference in a value.
func (b *builder) mentioned(v *value, f func(id string)) {
	for _, item := range v.items {
		b.mentioned(item, f)
	}
	for _, p := range v.pairs {
		switch p.key.text {
		case "Ref":
			f(p.value.text)
		case "Fn::GetAtt":
			if names := p.value.texts(); len(names) > 0 {
				id, _, _ := strings.Cut(names[0], ".")
				f(id)
			}
		case "Fn::Sub":
			for _, pattern := range p.value.texts() {
				for _, m := range variable.FindAllStringSubmatch(pattern, -1) {
					id, _, _ := strings.Cut(m[1], ".")
					f(id)
				}
			}
		}
		b.mentioned(p.value, f)
	}
}

// checkPermissions names the functions that API Gateway has no permission to call.
func (b *builder) checkPermissions(api *API) {
	for _, s := range api.Stages {
		for _, r := range s.Routes {
			source := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", b.region, b.account,
				api.ID, s.Name, r.Key)
			if r.Function != nil && !r.credentials && !b.permitted(r.Function, source) {
				b.warnf(r.LogicalID, r.at, "no AWS::Lambda::Permission lets API Gateway call %s"+
					" for the route %s: on AWS clients get `Internal server error`",
					r.Function.LogicalID, r.Key)
			}
			a := r.Authorizer
			if a == nil || a.Function == nil || a.credentials {
				continue
			}
			if source = "arn:aws:execute-api:" + b.region + ":" + b.account + ":" + api.ID + "/authorizers/" +
				b.hash(a.LogicalID, 7); !b.permitted(a.Function, source) {
				b.warnf(a.LogicalID, a.at, "no AWS::Lambda::Permission lets API Gateway call the"+
					" authorizer %s: on AWS nobody can connect", a.Function.LogicalID)
			}
		}
	}
}

// permitted tells whether a permission lets API Gateway call a function from a source.
func (b *builder) permitted(f *Function, source string) bool {
	return slices.ContainsFunc(b.ofType(typePermission), func(p *resource) bool {
		action, principal := b.text(p, "Action"), b.text(p, "Principal")
		from := b.text(p, "SourceArn")
		return functionName(b.text(p, "FunctionName")) == f.Name &&
			(principal == "apigateway.amazonaws.com" || principal == "*") &&
			glob("lambda:InvokeFunction", action) && (from == "" || glob(source, from))
	})
}

// glob tells whether s is what a pattern of IAM means, in which * stands for anything.
func glob(s, pattern string) bool {
	quoted := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	expression, err := regexp.Compile("^(?s:" + strings.ReplaceAll(quoted, `\?`, ".") + ")$")
	return err == nil && expression.MatchString(s)
}

// checkResponses names routes whose route response is half there.
func (b *builder) checkResponses(api *API) {
	for _, r := range api.routes {
		switch {
		case r.selects && !r.responds:
			b.warnf(r.LogicalID, r.at, "the route %s has a RouteResponseSelectionExpression but"+
				" no AWS::ApiGatewayV2::RouteResponse: what its function returns reaches nobody",
				r.Key)
		case r.responds && !r.selects:
			b.warnf(r.LogicalID, r.at, "the route %s has a route response but no"+
				" RouteResponseSelectionExpression: what its function returns reaches nobody",
				r.Key)
		case !r.responds && r.Function != nil && r.Function.returnsBody && !eventual(r.Key):
			b.infof(r.LogicalID, r.at, "the route %s has no route response: the body that %s"+
				" returns reaches nobody", r.Key, r.Function.LogicalID)
		}
	}
}

// eventual tells whether a route is for the beginning or the end of a connection.
func eventual(key string) bool {
	return key == gateway.ConnectRoute || key == gateway.DisconnectRoute
}
