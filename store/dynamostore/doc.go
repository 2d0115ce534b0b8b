// Package dynamostore keeps chat's log, its connections and who may sign in in one DynamoDB table.
//
// It uses single-item requests only, no transaction, no index and no Scan, so that any engine
// with that part of DynamoDB's API will do. A change of several items is an ordered list of
// idempotent writes, each prefix of which is a valid state; whoever repeats the call finishes it.
//
// # Sending: ticket, sent, fence
//
// An Append takes a number by raising the room's head (the ticket), records under which number
// its message will be found (SENT, which is also what a repetition finds), and puts the message
// if the number is free. A reader that meets a number which was given more than chat.SettleAfter
// ago and never filled puts a void in its place (the fence): the conditional put decides between
// the two, never a clock, and a writer that finds the void takes a new number. So settled numbers
// are dense, no writer waits for another, and a message is stored at most once.
//
// # Signing in
//
// An account, its handle and its subject are three items, each put if absent; that the account is
// not pending any more decides that it is one. Links, sessions and tickets are found by the SHA-256
// of their secret, and one write decides each of their uses.
//
// # Expiry
//
// Every item that ends carries the second of its end in the attribute "x". Readers pass over
// expired items; the table's TTL only tidies, days late.
//
// # Cost
//
// A message of up to about 700 bytes costs 3 write units and 2 read units, its Touch one write
// unit more, two where ten seconds have passed since the last. A heartbeat's Touch is one after any
// silence. The partition of a room takes about 500 messages a second.
package dynamostore
