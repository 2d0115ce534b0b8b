// Package egress is the way out of programs that run here as if they were on AWS: calls of AWS
// hosts come to handlers of this process, over TLS that the programs trust, and what nobody serves
// here is refused with a sentence, unless it may go on. Calls of all other hosts go out as they
// are.
//
// A [Gate] listens on loopback. Programs reach it by the variables of [Gate.Environment]: a proxy
// for those that know HTTPS_PROXY, and for Node.js, whose AWS clients do not, a small script that
// opens TLS connections to AWS hosts here instead.
package egress
