package gateway

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// connectEvent is the CONNECT event of a request, the only one with the client's headers and query.
func (c *connection) connectEvent(r *http.Request) (*events.APIGatewayWebsocketProxyRequest, error) {
	event, err := c.event(eventConnect, ConnectRoute)
	if err != nil {
		return nil, err
	}
	if event.MultiValueHeaders, err = c.headers(r); err != nil {
		return nil, err
	}
	event.Headers = lasts(event.MultiValueHeaders)
	if r.URL.RawQuery != "" {
		event.MultiValueQueryStringParameters = query(r.URL.RawQuery)
		event.QueryStringParameters = lasts(event.MultiValueQueryStringParameters)
	}
	return event, nil
}

// lasts gives the last of each name's values, which is the one that the single-value maps have.
func lasts(multi map[string][]string) map[string]string {
	single := make(map[string]string, len(multi))
	for name, values := range multi {
		single[name] = values[len(values)-1]
	}
	return single
}

// usual are names that net/http spells as nobody else does.
var usual = map[string]string{
	"Sec-Websocket-Key":        "Sec-WebSocket-Key",
	"Sec-Websocket-Version":    "Sec-WebSocket-Version",
	"Sec-Websocket-Protocol":   "Sec-WebSocket-Protocol",
	"Sec-Websocket-Extensions": "Sec-WebSocket-Extensions",
	"Dnt":                      "DNT",
}

// headers gives the client's headers without those of the hop, and those that the gateway adds.
func (c *connection) headers(r *http.Request) (map[string][]string, error) {
	var raw [12]byte
	if err := c.api.ids.random(raw[:]); err != nil {
		return nil, err
	}
	headers := make(map[string][]string, len(r.Header)+5)
	headers["Host"] = []string{c.host}
	for name, values := range r.Header {
		switch name {
		case "Connection", "Upgrade", "Content-Length":
			continue
		case "Sec-Websocket-Extensions":
			if c.api.cfg.Knobs.HideExtensions {
				continue
			}
		}
		if spelled := c.spelling[name]; spelled != "" {
			name = spelled
		} else if spelled := usual[name]; spelled != "" {
			name = spelled
		}
		headers[name] = values
	}
	proto := "http"
	if r.TLS != nil {
		proto = "https"
	}
	set := func(name, value string) {
		for have := range headers {
			if strings.EqualFold(have, name) {
				delete(headers, have)
			}
		}
		headers[name] = []string{value}
	}
	set("X-Forwarded-For", strings.Join(append(r.Header["X-Forwarded-For"], c.peer), ", "))
	set("X-Forwarded-Port", forwardedPort(r))
	set("X-Forwarded-Proto", proto)
	set("X-Amzn-Trace-Id", traceID(c.since.Unix(), raw))
	return headers, nil
}

// traceID has the form of X-Ray's root ids.
func traceID(unix int64, random [12]byte) string {
	return fmt.Sprintf("Root=1-%08x-%s", uint32(unix), hex.EncodeToString(random[:]))
}

// query decodes a query string. What is no valid escape stays as it is.
func query(raw string) map[string][]string {
	values := map[string][]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, value = unescape(name), unescape(value)
		values[name] = append(values[name], value)
	}
	return values
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}
