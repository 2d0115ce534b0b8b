package stack

import (
	"regexp"
	"strings"

	"github.com/confab-chat/confab/gateway"
)

// Limits of stages and access logs (Developer Guide, "Amazon API Gateway quotas").
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

const maxFormat = 3 << 10

// stage takes up a stage, of a resource or of what SAM makes of one.
func (b *builder) stage(r *resource, api *API, name string) {
	s := &Stage{
		LogicalID: r.id, Name: name, Line: r.entry.line, at: r.entry,
		Variables: b.prop(r, "StageVariables").dictionary(),
		Throttle:  throttle(b.prop(r, "DefaultRouteSettings")),
		AccessLog: strings.TrimRight(b.text(r, "AccessLogSettings", "Format"), "\n"),
	}
	if !stageName.MatchString(s.Name) || s.Name == "ping" || s.Name == "sping" {
		b.errorf(r.id, r.entry, "the stage %q: 1 to 128 letters, digits, - and _, and neither"+
			" ping nor sping", s.Name)
	}
	for _, other := range api.Stages {
		if other.Name == s.Name {
			b.errorf(r.id, r.entry, "the stage %s is here twice", s.Name)
		}
	}
	b.checkAccessLog(r, s)
	settings := b.prop(r, "RouteSettings")
	for _, route := range api.routes {
		s.Routes = append(s.Routes, b.staged(route, s, settings.get(route.Key)))
	}
	api.Stages = append(api.Stages, s)
}

// staged gives a route as it is in a stage.
func (b *builder) staged(route *Route, s *Stage, settings *value) *Route {
	r := *route
	r.Throttle = throttle(settings)
	r.Response = r.selects && r.responds && r.Key != gateway.ConnectRoute && r.Key != gateway.DisconnectRoute
	if r.uri != "" {
		uri := r.uri
		for name, value := range s.Variables {
			uri = strings.ReplaceAll(uri, "${stageVariables."+name+"}", value)
		}
		if r.Function, r.Qualifier, r.Refused = b.target(uri); r.Refused != "" {
			b.warnf(r.LogicalID, r.at, "%s: the route %s of the stage %s answers as an"+
				" integration that fails", r.Refused, r.Key, s.Name)
		}
	}
	return &r
}

// throttle reads the limits in a stage's settings.
func throttle(settings *value) gateway.Throttle {
	rate := settings.get("ThrottlingRateLimit").number()
	if rate <= 0 {
		return gateway.Throttle{}
	}
	return gateway.Throttle{Rate: rate, Burst: int(settings.get("ThrottlingBurstLimit").number())}
}

// checkAccessLog reports a format that API Gateway refuses.
func (b *builder) checkAccessLog(r *resource, s *Stage) {
	settings := b.prop(r, "AccessLogSettings")
	format := settings.get("Format")
	switch {
	case settings.kind == null || s.AccessLog == "":
	case !strings.Contains(s.AccessLog, "$context.requestId"), strings.ContainsAny(s.AccessLog, "\r\n"),
		len(s.AccessLog) > maxFormat:
		b.errorf(r.id, format, "the format of an access log is a line of at most 3 KB, and has"+
			" $context.requestId")
	}
}
