package stack

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/confab-chat/confab/gateway"
)

// API is a WebSocket API of the template.
type API struct {
	LogicalID string
	ID        string // what Ref gives: 10 letters and digits
	Name      string
	Line      int // of the template
	// RouteSelection is the route selection expression.
	RouteSelection string
	// APIKeySource is the API key selection expression; "": the default.
	APIKeySource string
	// APIKeys are the values of the template's API keys.
	APIKeys []string
	Stages  []*Stage // as written; none: nothing can connect

	routes []*Route
	at     *value
}

// Stage is a stage of an API.
type Stage struct {
	LogicalID string
	Name      string
	Line      int // of the template
	Variables map[string]string
	Throttle  gateway.Throttle // DefaultRouteSettings; its zero value: none
	// AccessLog is the format of the access log; "": there is none.
	AccessLog string
	Routes    []*Route // of the API, with what the stage's RouteSettings say

	at *value
}

// Route is a route of an API, in a stage.
type Route struct {
	Key       string
	LogicalID string // of the route, or of the API that SAM makes it of
	Line      int    // of the template
	// Function is what the route calls; nil: Mock or Refused say what it does.
	Function  *Function
	Qualifier string // version or alias of the function; "": none
	Mock      *Mock
	Refused   string        // why it answers as an integration that fails
	Timeout   time.Duration // of the integration; 0: 29 s
	Response  bool          // it has the route response $default
	Throttle  gateway.Throttle

	Authorizer     *Authorizer
	IAM            bool
	APIKeyRequired bool

	id          string // physical
	uri         string // with stage variables
	selects     bool   // RouteResponseSelectionExpression is $default
	responds    bool   // there is a route response
	credentials bool   // a role of its own invokes the function
	at          *value
}

// Mock has the templates of a MOCK integration, as gateway.Mock takes them.
type Mock struct{ Request, Response string }

// Authorizer is a Lambda authorizer.
type Authorizer struct {
	LogicalID       string
	Function        *Function // nil: it does not run here
	Qualifier       string
	IdentitySources []string

	at          *value
	credentials bool
}

// apis makes the APIs with their routes and stages.
func (b *builder) apis() {
	for _, r := range b.ofType(typeAPI) {
		if protocol := b.text(r, "ProtocolType"); !strings.EqualFold(protocol, "WEBSOCKET") {
			b.warnf(r.id, r.entry, "an API of the protocol %s does not run here, only WebSocket"+
				" APIs do: nothing answers its routes", protocol)
			continue
		}
		b.api(r)
	}
	for _, r := range b.ofType(typeRoute) {
		b.route(r)
	}
	for _, r := range b.ofType(typeSocketAPI) {
		b.socketAPI(r, b.api(r))
	}
	for _, r := range b.ofType(typeRouteResponse) {
		b.routeResponse(r)
	}
	for _, api := range b.stack.APIs { // its route responses are known now
		if r := b.byID[api.LogicalID]; r.typ == typeSocketAPI {
			b.stage(r, api, b.socketStage(r))
		}
	}
	for _, r := range b.ofType(typeStage) {
		if api := b.apiOf(r); api != nil {
			b.stage(r, api, b.text(r, "StageName"))
		}
	}
	if len(b.stack.APIs) == 0 {
		b.errorf("", b.root.get("Resources"), "the template has no WebSocket API")
	}
	for _, api := range b.stack.APIs {
		if len(api.Stages) == 0 {
			b.warnf(api.LogicalID, api.at, "the API has no stage: nothing can connect to it")
		}
		b.checkGateway(api)
	}
}

// api takes up an API.
func (b *builder) api(r *resource) *API {
	id, err := b.physical(r)
	if err != nil {
		b.problems.failed(r.id, err)
	}
	api := &API{
		LogicalID: r.id, ID: id, Line: r.entry.line, at: r.entry,
		RouteSelection: b.text(r, "RouteSelectionExpression"),
		APIKeySource:   b.text(r, "ApiKeySelectionExpression"),
	}
	if api.Name, err = b.name(r); err != nil {
		b.problems.failed(r.id, err)
	}
	if api.RouteSelection == "" {
		b.errorf(r.id, r.entry, "the API has no RouteSelectionExpression, as $request.body.action")
	}
	for _, key := range b.ofType("AWS::ApiGateway::ApiKey") {
		if v := b.text(key, "Value"); v != "" {
			api.APIKeys = append(api.APIKeys, v)
		}
	}
	b.stack.APIs = append(b.stack.APIs, api)
	return api
}

// apiOf finds the API that a resource belongs to; nil: it is none that runs here.
func (b *builder) apiOf(r *resource) *API {
	id := b.prop(r, "ApiId")
	for _, api := range b.stack.APIs {
		if api.ID == id.text {
			return api
		}
	}
	for _, other := range b.ofType(typeAPI) {
		if physical, err := b.physical(other); err == nil && physical == id.text {
			return nil // it has been named
		}
	}
	b.warnf(r.id, r.entry, "the API %q is not in the template: this has no effect here", id.text)
	return nil
}

// route takes up a route with its integration.
func (b *builder) route(r *resource) {
	api := b.apiOf(r)
	if api == nil {
		return
	}
	id, err := b.physical(r)
	if err != nil {
		b.problems.failed(r.id, err)
	}
	route := &Route{
		Key: b.text(r, "RouteKey"), LogicalID: r.id, Line: r.entry.line, id: id, at: r.entry,
		selects:        b.text(r, "RouteResponseSelectionExpression") != "",
		APIKeyRequired: b.prop(r, "ApiKeyRequired").truth(),
	}
	b.addRoute(api, route)
	b.authorization(r, route)
	b.integration(r, route)
}

// addRoute checks a route's key and adds it to its API.
func (b *builder) addRoute(api *API, route *Route) {
	switch k := route.Key; {
	case k == gateway.ConnectRoute, k == gateway.DisconnectRoute, k == gateway.DefaultRoute:
	case k == "":
		b.errorf(route.LogicalID, route.at, "the route has no RouteKey")
	case k[0] == '$':
		b.errorf(route.LogicalID, route.at, "the route key %s: only $connect, $disconnect and"+
			" $default begin with $, and clients send the key without", k)
	}
	if slices.ContainsFunc(api.routes, func(other *Route) bool { return other.Key == route.Key }) {
		b.errorf(route.LogicalID, route.at, "the route %s is here twice", route.Key)
	}
	api.routes = append(api.routes, route)
}

// authorization reads who may connect.
func (b *builder) authorization(r *resource, route *Route) {
	kind := b.prop(r, "AuthorizationType")
	if kind.text != "" && kind.text != "NONE" && route.Key != gateway.ConnectRoute {
		b.errorf(r.id, kind, "only $connect can have an authorization")
		return
	}
	switch kind.text {
	case "", "NONE":
	case "AWS_IAM":
		route.IAM = true
	case "CUSTOM":
		wanted := b.prop(r, "AuthorizerId")
		for _, a := range b.ofType(typeAuthorizer) {
			if id, err := b.physical(a); err == nil && id == wanted.text {
				route.Authorizer = b.authorizer(a, b.prop(a, "AuthorizerUri"), b.prop(a,
					"IdentitySource"))
				route.Authorizer.credentials = b.prop(a, "AuthorizerCredentialsArn").kind == text
				return
			}
		}
		b.errorf(r.id, kind, "the authorizer %q is not in the template", wanted.text)
	default:
		b.errorf(r.id, kind, "WebSocket APIs have no authorization of the type %s", kind.text)
	}
}

// source is what an authorizer of a WebSocket API can look for.
var source = regexp.MustCompile(`^(route\.request\.(header|querystring)|stageVariables|context)\.[^\s]+$`)

// authorizer makes an authorizer, of a resource or of what SAM makes of one.
func (b *builder) authorizer(r *resource, uri, sources *value) *Authorizer {
	a := &Authorizer{LogicalID: r.id, at: r.entry}
	for s := range strings.SplitSeq(strings.Join(sources.texts(), ","), ",") {
		switch s = strings.TrimSpace(s); {
		case s == "":
		case !source.MatchString(s):
			b.errorf(r.id, sources, "the identity source %s: WebSocket APIs have"+
				" route.request.header.NAME and route.request.querystring.NAME,"+
				" stageVariables.NAME and context.NAME", s)
		default:
			a.IdentitySources = append(a.IdentitySources, s)
		}
	}
	if kind := b.prop(r, "AuthorizerType"); r.typ == typeAuthorizer && kind.text != "REQUEST" {
		b.errorf(r.id, kind, "authorizers of WebSocket APIs are of the type REQUEST")
	}
	var refused string
	if a.Function, a.Qualifier, refused = b.target(uri.text); refused != "" {
		b.warnf(r.id, uri, "the authorizer does not run here: %s; nobody can connect", refused)
	}
	return a
}

// invocation finds the function in an integration's URI.
var invocation = regexp.MustCompile(`^arn:[^:]+:apigateway:[^:]+:lambda:path/[^/]+/functions/(.+)/invocations$`)

// target finds the function that a URI or an ARN means, or says why there is none.
func (b *builder) target(uri string) (f *Function, qualifier, refused string) {
	arn := uri
	if m := invocation.FindStringSubmatch(uri); m != nil {
		arn = m[1]
	}
	if !strings.Contains(arn, ":function:") && !strings.HasPrefix(arn, "function:") {
		return nil, "", "there is no function in " + uri
	}
	name := functionName(arn)
	if f = b.stack.Function(name); f == nil {
		return nil, "", "the function " + name + " is not in the template"
	}
	if _, rest, ok := strings.Cut(arn, ":function:"+name+":"); ok {
		qualifier = rest
	}
	return f, qualifier, ""
}

// routeResponse gives a route its route response.
func (b *builder) routeResponse(r *resource) {
	api := b.apiOf(r)
	if api == nil {
		return
	}
	id := b.prop(r, "RouteId")
	i := slices.IndexFunc(api.routes, func(route *Route) bool { return route.id == id.text })
	if i < 0 {
		b.errorf(r.id, id, "the route %q of the route response is not in the template", id.text)
		return
	}
	if key := b.prop(r, "RouteResponseKey"); key.text != gateway.DefaultRoute {
		b.errorf(r.id, key, "the key of a route response is $default, and not %s", key.text)
	}
	api.routes[i].responds = true
}
