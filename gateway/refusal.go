package gateway

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// failure is what AWS says of a failed integration, or of a message that reached none.
func failure(err error) string {
	switch {
	case errors.Is(err, errTimeout):
		return "Endpoint request timed out"
	case errors.Is(err, errNoRoute):
		return "Forbidden"
	case errors.Is(err, errThrottled):
		return tooMany
	}
	return "Internal server error"
}

// failed is the answer to a handshake whose $connect has failed.
func (c *connection) failed(err error, request string) events.APIGatewayProxyResponse {
	status := http.StatusBadGateway
	switch {
	case errors.Is(err, errTimeout):
		status = http.StatusGatewayTimeout
	case errors.Is(err, errMalformed) && c.api.cfg.Knobs.MalformedConnectIs500:
		status = http.StatusInternalServerError
	}
	return c.refusal(status, failure(err), request)
}

// refusal is an answer to a handshake in the gateway's own words, not $connect's.
func (c *connection) refusal(status int, message, request string) events.APIGatewayProxyResponse {
	return events.APIGatewayProxyResponse{
		StatusCode: status,
		Headers: map[string]string{
			"Content-Type": "application/json; charset=UTF-8", "x-amz-apigw-id": request,
		},
		Body: errorBody(message, c.id, request),
	}
}

// reject answers a refused handshake with exactly the reply's status and body, and closes TCP.
func (c *connection) reject(reply events.APIGatewayProxyResponse) {
	defer c.conn.Close()
	body := reply.Body
	if reply.IsBase64Encoded {
		if raw, err := base64.StdEncoding.DecodeString(body); err == nil {
			body = string(raw)
		}
	}
	header := http.Header{"Date": {c.api.cfg.Now().UTC().Format(http.TimeFormat)}}
	for name, value := range reply.Headers {
		header[name] = []string{value}
	}
	for name, values := range reply.MultiValueHeaders {
		header[name] = values
	}
	for name := range header {
		if ownHeader[http.CanonicalHeaderKey(name)] {
			delete(header, name)
		}
	}
	answer := http.Response{
		StatusCode: reply.StatusCode, ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Close: true,
	}
	c.conn.SetDeadline(time.Now().Add(HandshakeTimeout))
	if err := answer.Write(c.conn); err != nil {
		c.api.cfg.Logger.Debug("refusal not delivered", "connection", c.id, "error", err)
	}
}

// ownHeader are the headers that belong to the hop or to the handshake, not to $connect's reply.
var ownHeader = map[string]bool{
	"Connection": true, "Content-Length": true, "Keep-Alive": true,
	"Proxy-Authenticate": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true, "Sec-Websocket-Accept": true,
}

// badRequest is the page of API Gateway's front door, which takes no two Authorization headers.
const badRequest = "<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n" +
	"<center><h1>400 Bad Request</h1></center>\r\n</body>\r\n</html>\r\n"

// deny is the answer to who may not connect.
func (c *connection) deny(d *denial, request string) events.APIGatewayProxyResponse {
	if d.page == "" {
		return c.refusal(d.status, d.message, request)
	}
	return events.APIGatewayProxyResponse{
		StatusCode: d.status, Headers: map[string]string{"Content-Type": "text/html"}, Body: d.page,
	}
}
