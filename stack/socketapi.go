package stack

import (
	"regexp"
	"strings"

	"github.com/confab-chat/confab/gateway"
)

// alphanumeric is what a custom route key can be in SAM.
var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// socketAPI gives an API what SAM makes of AWS::Serverless::WebSocketApi: routes, integrations and
// permissions, and an authorizer; its stage deploys itself.
func (b *builder) socketAPI(r *resource, api *API) {
	routes, err := b.resolveTop(r.props.get("Routes"))
	if err != nil {
		b.problems.failed(r.id, err)
		return
	}
	if len(routes.pairs) == 0 {
		b.errorf(r.id, r.entry, "the API has no Routes")
	}
	for _, p := range routes.pairs {
		v, err := b.resolve(p.value)
		if err != nil {
			b.problems.failed(r.id, err)
			continue
		}
		b.socketRoute(r, api, p.key, v)
	}
}

// socketRoute makes one of the routes.
func (b *builder) socketRoute(r *resource, api *API, key, v *value) {
	plain := strings.TrimPrefix(key.text, "$")
	route := &Route{
		Key: key.text, LogicalID: r.id, Line: key.line, at: key, credentials: true, // SAM makes a permission
		id:             b.hash(r.id+strings.ToLower(plain)+"route", 7),
		selects:        v.get("RouteResponseSelectionExpression").kind == text,
		APIKeyRequired: v.get("ApiKeyRequired").truth(),
	}
	b.addRoute(api, route)
	if plain == key.text && !alphanumeric.MatchString(key.text) {
		b.errorf(r.id, key, "the route key %s: SAM takes letters and digits", key.text)
	}
	if route.Key == gateway.ConnectRoute {
		b.socketAuth(r, route)
	}
	b.timeout(r, v.get("IntegrationTimeout"), route)
	if arn := v.get("FunctionArn"); arn.kind == text {
		b.call(r, arn, route)
	} else {
		b.errorf(r.id, key, "the route %s has no FunctionArn", key.text)
	}
}

// socketAuth reads who may connect.
func (b *builder) socketAuth(r *resource, route *Route) {
	auth := b.prop(r, "Auth")
	switch kind := auth.get("AuthType"); kind.text {
	case "", "NONE":
	case "AWS_IAM":
		route.IAM = true
	case "CUSTOM":
		route.Authorizer = b.authorizer(r, auth.get("AuthArn"), auth.get("IdentitySource"))
		route.Authorizer.credentials = true
	default:
		b.errorf(r.id, kind, "AuthType is NONE, AWS_IAM or CUSTOM")
	}
}
