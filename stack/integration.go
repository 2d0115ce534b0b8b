package stack

import (
	"cmp"
	"strings"
	"time"

	"github.com/confab-chat/confab/gateway"
)

// Bounds of an integration's timeout (API Reference of API Gateway V2, TimeoutInMillis).
const (
	minIntegration = 50
	maxIntegration = 29_000
)

// integration finds what a route leads to.
func (b *builder) integration(r *resource, route *Route) {
	target := b.prop(r, "Target")
	id, ok := strings.CutPrefix(target.text, "integrations/")
	switch {
	case target.kind != text || target.text == "":
		route.Refused = "it has no Target"
		b.warnf(r.id, r.entry, "the route %s has no Target: AWS does not deploy it, and here it"+
			" answers as an integration that fails", route.Key)
		return
	case !ok:
		b.errorf(r.id, target, "the Target %q: integrations/ and the integration's id", target.text)
		return
	}
	for _, integration := range b.ofType(typeIntegration) {
		if physical, err := b.physical(integration); err == nil && physical == id {
			b.readIntegration(integration, route)
			return
		}
	}
	b.errorf(r.id, target, "the integration %q is not in the template", id)
}

// readIntegration gives a route what its integration says.
func (b *builder) readIntegration(r *resource, route *Route) {
	b.timeout(r, b.prop(r, "TimeoutInMillis"), route)
	route.credentials = b.prop(r, "CredentialsArn").kind == text
	switch kind := b.text(r, "IntegrationType"); kind {
	case "AWS_PROXY":
		b.call(r, b.prop(r, "IntegrationUri"), route)
	case "MOCK":
		b.mock(r, route)
	case "":
		b.errorf(r.id, r.entry, "the integration has no IntegrationType")
	default:
		b.refuse(r, r.entry, route, "integrations of the type "+kind+" do not run here,"+
			" AWS_PROXY and MOCK do")
	}
}

// refuse says that a route answers as an integration that fails, and why.
func (b *builder) refuse(r *resource, at *value, route *Route, why string) {
	route.Refused = why
	b.warnf(r.id, at, "%s: the route %s answers as an integration that fails", why, route.Key)
}

// timeout reads how long API Gateway waits.
func (b *builder) timeout(r *resource, limit *value, route *Route) {
	if limit.kind != text {
		return
	}
	if n := limit.number(); n < minIntegration || n > maxIntegration {
		b.errorf(r.id, limit, "a timeout of %s ms: API Gateway takes 50 to 29,000", limit.text)
		return
	}
	route.Timeout = time.Duration(limit.number()) * time.Millisecond
}

// call gives a route the function in a URI. With stage variables in it each stage has its own.
func (b *builder) call(r *resource, uri *value, route *Route) {
	if strings.Contains(uri.text, "${stageVariables.") {
		route.uri = uri.text
		return
	}
	var refused string
	if route.Function, route.Qualifier, refused = b.target(uri.text); refused != "" {
		b.refuse(r, uri, route, refused)
		return
	}
	b.checkTimeout(r, route)
}

// checkTimeout says when a function may run for longer than anybody waits for it.
func (b *builder) checkTimeout(r *resource, route *Route) {
	if f := route.Function; f.Lambda.Timeout > patience {
		b.warnf(f.LogicalID, b.byID[f.LogicalID].props.get("Timeout"), "a timeout of %v: API"+
			" Gateway waits for 29 s, then answers with an error, while the function runs on",
			f.Lambda.Timeout)
	} else if route.Timeout > 0 && f.Lambda.Timeout > route.Timeout {
		b.infof(r.id, r.entry, "API Gateway waits for %v, and the function may run for %v",
			route.Timeout, f.Lambda.Timeout)
	}
}

// mock gives a route the templates of a MOCK integration.
func (b *builder) mock(r *resource, route *Route) {
	requests := b.prop(r, "RequestTemplates")
	selected := strings.TrimPrefix(b.text(r, "TemplateSelectionExpression"), `\`)
	mock := &Mock{Request: only(requests, selected)}
	id, err := b.physical(r)
	if err != nil {
		b.problems.failed(r.id, err)
	}
	for _, reply := range b.ofType(typeReply) {
		if b.text(reply, "IntegrationId") != id {
			continue
		}
		if key := b.text(reply, "IntegrationResponseKey"); mock.Response == "" || key == gateway.DefaultRoute {
			mock.Response = only(b.prop(reply, "ResponseTemplates"),
				strings.TrimPrefix(b.text(reply, "TemplateSelectionExpression"), `\`))
		}
	}
	if _, err := gateway.Mock(mock.Request, mock.Response); err != nil {
		b.refuse(r, r.entry, route, strings.TrimPrefix(err.Error(), "gateway: "))
		return
	}
	route.Mock = mock
}

// only chooses the template that is selected, else $default, else the first.
func only(templates *value, selected string) string {
	all := templates.dictionary()
	if len(templates.pairs) == 0 {
		return ""
	}
	return cmp.Or(all[selected], all[gateway.DefaultRoute], templates.pairs[0].value.text)
}
