// Package meter computes what requests to DynamoDB cost on AWS, whoever makes them.
//
// A [Proxy] stands in front of an engine on this machine, as DynamoDB Local, whose own figures are
// not AWS's. It computes read and write units from the sizes of items by the rules of the DynamoDB
// Developer Guide, "DynamoDB item sizes and formats" and "DynamoDB read and write operations", and
// records which operations were made, with whose credentials.
//
// # What is not computed
//
// Writes to secondary indexes, PartiQL, streams, and what a Query or a Scan that finds nothing is
// charged beyond its least unit. A request that failed, or that a throttle refused, costs nothing
// here; one that its condition refused costs what AWS says it does.
package meter
