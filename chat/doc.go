// Package chat is the domain: who may say what to whom, and what is promised about it.
//
// [Service] has one use case per file. What survives the process is behind [Log], who is here
// now behind [Connections]; the package knows neither sockets nor frames nor databases, so every
// rule can be tested in memory.
//
// # Promises
//
// A message is acknowledged only after [Log.Append] has stored it. Numbers of a room are dense
// from 1. Sending the same (room, user, id) again within [DedupWindow] stores nothing new. A
// push is a hint, the log is the truth: what a connection missed it finds by sequence number.
//
// # Identity
//
// A user is its name as first written; names that differ only in case are one user. A room's id
// is its folded name, and [Head].Name is the name as first written. A direct room's id is made
// from its two users by [DirectRoom].
package chat
