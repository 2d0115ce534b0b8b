// Package examples tests the handlers and templates in examples/seeds: on the gateway of this module
// and DynamoDB Local, wired as each template says, with no more rights than it grants. Every function
// runs in a process of its own, as on Lambda.
package examples
