// Package gateway is Amazon API Gateway's WebSocket API in one process: handshake, routing, events,
// limits, close codes and the @connections API, as AWS does them. It knows nothing of what runs
// behind it; a program's own Lambda handlers run here unchanged, in its tests or on a laptop. It is
// to API Gateway what package net/http/httptest is to HTTP.
//
// An [API] is an [http.Handler]. What it upgrades it keeps. After the handshake a connection is a
// few hundred bytes until the client sends: one goroutine waits for all sockets. Under TLS, and on
// systems other than Linux, each connection has a goroutine of its own.
//
// # Guarantees
//
//   - A connection gets $connect, then any number of messages, then at most one $disconnect. None
//     follows a handshake that was refused.
//   - [API.Post] gives the frames of one call, and of calls that follow one another, to a
//     connection in order. It never waits for a slow client: what the socket does not take is
//     queued up to Config.MaxQueueFrames and MaxQueueBytes, then dropped and counted, and
//     Config.OnDrain tells when the queue is empty again.
//   - Memory is bounded: frames of 32 KB, messages of 128 KB, and nothing is allocated on the word
//     of a length in a header.
//   - A handler that panics is recovered, as a crashed Lambda is, and so is one that ends its
//     goroutine, as t.FailNow does, where its route has a time limit.
//
// # Integrations
//
// What a [Route] calls is a [Handler]: a Lambda handler in Go as it is, a [JSONHandler] for one that
// runs elsewhere, or a [Mock]. The gateway waits as long as API Gateway does and answers failures,
// late and malformed results in its words. A handler is not told that nobody waits any more, as a
// Lambda function is not. [API.Deploy] changes a stage while clients are connected.
//
// # Quotas, costs and logs
//
// AWS's throttles hold unless a [Throttle] says otherwise. [API.Stats] has what AWS would bill and
// what its metrics would show ([Metered]), and a stage writes access logs ([AccessLog]).
// docs/fidelity.md of the repository lists each behaviour with its evidence and its test.
//
// # Differences from AWS
//
// Integrations of the types HTTP and AWS, mapping of parameters, request models and custom domains'
// mappings are not here. Usage plans, resource policies, execution logs and compression are not
// here; of AWS_IAM only the signature is checked, not what its owner may do; conditions in an
// authorizer's policy are an error. X-Forwarded-Proto and -Port tell the truth about the listener
// instead of "https" and 443. Where it is not certain what AWS does there is a knob: [Knobs].
//
// # Slow peers
//
// Requests are read by net/http: give the [http.Server] a ReadHeaderTimeout of [HeaderTimeout], and a
// ReadTimeout of [HandshakeTimeout], which ends connections that say nothing between two requests as
// well. From the handshake on, deadlines are this package's.
package gateway
