package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/chatapi"
	"github.com/confab-chat/confab/connections"
	"github.com/confab-chat/confab/internal/version"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/wire"
)

// Values of the deployment that no parameter changes. API Gateway ends a connection after two hours;
// the rest keeps an event short and a room's fan-out cheap.
const (
	pipeline      = 1             // unacknowledged sends of a client: events may overtake one another
	maxConnection = 2 * time.Hour // "Quotas for configuring and running a WebSocket API"
	resumeMax     = 100           // missed messages of a room that a resume sends
	inline        = 200           // receivers that an event posts to by itself
	typingMax     = 20            // connections of a room in which typing is told
	excessMax     = 20            // actions over the rate after which a connection is closed
	leaseSlack    = 10 * time.Second
)

// sweepKind is the kind of the task that the schedule sends.
const sweepKind = "sweep"

// errShape is an event that is none of those that the function is for.
var errShape = errors.New("this event is no event of the WebSocket API, authorizer, task, " +
	"schedule or direct invocation")

// function is a deployed function: handler or tokens, or both, as its settings have it.
type function struct {
	handler *chatapi.Handler // nil: this is the authorizer
	tokens  *auth.Tokens     // nil: open mode, or this is the chat
	logger  *slog.Logger
}

// newFunction makes what a cold start makes. It calls nothing.
func newFunction(get func(string) string, out io.Writer) (*function, error) {
	s, err := readSettings(get)
	if err != nil {
		return nil, err
	}
	f := &function{logger: slog.New(logs{slog.NewJSONHandler(out, nil)})}
	switch {
	case s.table != "":
		if err := f.chat(s); err != nil {
			return nil, err
		}
		return f, nil
	case s.issuer == "":
		return nil, errors.New("neither CONFAB_TABLE nor CONFAB_ISSUER is set: want the first for " +
			"the chat, the second for the authorizer")
	}
	f.tokens, err = auth.NewTokens(auth.TokenConfig{
		Issuer: s.issuer, Audience: s.audience, UserClaim: s.userClaim,
	})
	return f, err
}

// chat wires the chat's handler to AWS.
func (f *function) chat(s settings) error {
	poster, err := connections.New(connections.Config{
		Endpoint: s.endpoint, Region: s.region,
		AccessKey: s.accessKey, SecretKey: s.secretKey, SessionToken: s.sessionToken,
	})
	if err != nil {
		return err
	}
	store := dynamostore.New(s.dynamodb(), dynamostore.Options{
		Table: s.table, Rate: s.rate, Burst: s.burst, Lease: 2*s.heartbeat + leaseSlack,
		MaxReceivers: s.maxReceivers, LeftOut: func(string) { f.leftOut(s.function) },
	})
	service := chat.NewService(store, store, time.Now)
	service.LobbyOff = !s.lobby
	identify := auth.Open{}.Identify
	if s.issuer != "" {
		identify = auth.Authorized{}.Identify
	}
	f.handler = chatapi.New(chatapi.Config{
		Service: service, Poster: poster, Deferrer: newLater(s), Identify: identify,
		Version: version.Number, Dialect: wire.Dialect(s.dialect), AllowedOrigins: s.origins,
		Endpoint: s.endpoint, Heartbeat: s.heartbeat, Pipeline: pipeline,
		MaxConnection: maxConnection, ResumeMax: resumeMax, Inline: inline, TypingMax: typingMax,
		ExcessMax: excessMax,
		Now:       time.Now, Sleep: chatapi.Sleep, Jitter: rand.IntN, Logger: f.logger,
	})
	return nil
}

// shape is what tells events apart.
type shape struct {
	Type           string                      `json:"type"`           // REQUEST: for the authorizer
	RequestContext *struct{ EventType string } `json:"requestContext"` // of the WebSocket API
	Kind           string                      `json:"kind"`           // a task, or the schedule's
	Action         json.RawMessage             `json:"action"`         // a direct invocation
}

// Invoke implements lambda.Handler.
func (f *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var s shape
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, errShape
	}
	switch {
	case f.tokens != nil && s.Type == "REQUEST":
		return f.authorize(ctx, payload)
	case f.handler == nil:
		return nil, errShape
	case s.RequestContext != nil && s.Type == "":
		return f.event(ctx, payload)
	case s.Kind == sweepKind:
		return nil, f.handler.Sweep(ctx)
	case s.Kind != "":
		return nil, f.task(ctx, payload)
	case s.Action != nil:
		return answer(f.handler.Invoke(ctx, requestID(ctx), payload))
	}
	return nil, errShape
}

func (f *function) event(ctx context.Context, payload []byte) ([]byte, error) {
	var e chatapi.Event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, errShape
	}
	return answer(f.handler.Handle(ctx, e))
}

func (f *function) task(ctx context.Context, payload []byte) error {
	var t chatapi.Task
	if err := json.Unmarshal(payload, &t); err != nil {
		return errShape
	}
	return f.handler.Run(ctx, t)
}

func answer(r chatapi.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// requestID is the invocation's: the same when Lambda tries an event again.
func requestID(ctx context.Context) string {
	if c, ok := lambdacontext.FromContext(ctx); ok {
		return c.AwsRequestID
	}
	return ""
}
