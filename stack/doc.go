// Package stack runs somebody's WebSocket API on this machine: it reads a CloudFormation or SAM
// template and wires packages gateway and lambdahost as the template says. Go programs can test
// what they deploy with it, in a test of their own.
//
// Load reads the template, with its parameters, conditions, mappings and intrinsic functions. Every
// reference is resolved: an API, a function, a table has an id that stays the same from start to
// start, and what is built of such ids, as the URI of an integration, leads back to the resource.
// Templates are YAML or JSON, written by hand, by sam build, the CDK or the Serverless Framework.
//
// Stack.Deploy puts the result to work, and Deployment.Update a later version of it.
//
// # What runs
//
// WebSocket APIs (AWS::ApiGatewayV2 and AWS::Serverless::WebSocketApi) with routes, AWS_PROXY and
// MOCK integrations, route responses, Lambda authorizers, AWS_IAM, API keys, stages, stage
// variables, throttles and access logs; functions of Node.js, Python and with a bootstrap of their
// own, from folders, archives and the template itself, with layers, versions and aliases; DynamoDB
// tables with indexes and expiry. A Go module whose bootstrap is missing, or for another system,
// is built. Schedules with a rate are in the Stack, for who calls their functions.
//
// # What does not
//
// Diagnostics name the rest, each with file and line and what it means: the stack runs without it.
// They name mistakes too that show on AWS alone, as a deployment that misses a route. Only what AWS
// would refuse, or what a function cannot start without, as a package that is not installed, is an
// error of Load.
//
// # Differences from CloudFormation
//
// Names have no random end. Exports of other stacks, macros, Fn::ForEach and Fn::ToJsonString are
// errors; values of the Parameter Store and secrets are not read. Permissions are not enforced:
// roles have no effect. All routes of an API are served, those too that a deployment may miss.
package stack
