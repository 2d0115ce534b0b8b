// Package rehearsal runs a stack on this machine as it is: a port for each WebSocket API,
// processes for its functions, tables in DynamoDB, and for everything else that the functions ask
// of AWS a refusal. What happens is printed, a line each, and kept for a while, so that one can
// ask why.
package rehearsal
