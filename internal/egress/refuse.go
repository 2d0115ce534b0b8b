package egress

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// refusedType is the type of the error that SDKs raise for a refused call.
const refusedType = "NotServedHereException"

// NotServed says why a call of a host, with or without a port, is refused.
func NotServed(host string) string {
	return fmt.Sprintf("%s is not served here: confab run has API Gateway's @connections, "+
		"Lambda and DynamoDB alone. Run it with --aws-endpoint URL to send such calls to an "+
		"emulator, or with --allow-aws to let them out to AWS.", hostOf(host))
}

// refuse answers with a sentence in the form of the protocol that the call is in, so that SDKs show
// it. 400 is what they do not repeat.
func (g *Gate) refuse(w http.ResponseWriter, r *http.Request, sentence string) {
	if g.cfg.Refused != nil {
		g.cfg.Refused(r, sentence)
	}
	var text []byte
	var err error
	header := w.Header()
	kind := r.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		header.Set("Content-Type", "text/xml")
		text, err = xml.Marshal(queryError{Type: "Sender", Code: refusedType, Message: sentence})
	case strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request"):
		header.Set("Content-Type", "application/xml")
		text, err = xml.Marshal(storageError{Code: refusedType, Message: sentence})
	default:
		header.Set("Content-Type", "application/x-amz-json-1.0")
		header.Set("X-Amzn-Errortype", refusedType)
		text, err = json.Marshal(map[string]string{"__type": refusedType, "message": sentence})
	}
	if err != nil {
		http.Error(w, sentence, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusBadRequest)
	w.Write(text)
}

// queryError is an error of the query protocol (SNS, STS, IAM and more).
type queryError struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Type    string   `xml:"Error>Type"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

// storageError is an error of S3.
type storageError struct {
	XMLName xml.Name `xml:"Error"`
	Code    string   `xml:"Code"`
	Message string   `xml:"Message"`
}
