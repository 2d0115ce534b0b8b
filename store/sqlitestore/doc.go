// Package sqlitestore keeps the chat's log, and who may sign in, in one SQLite file: the embedded
// store of the laptop host.
//
// # Durability
//
// What Append has returned survives a kill, a crash of the system and a power loss: the database
// runs in WAL mode with synchronous=FULL, and nothing is answered before the commit returned. One
// goroutine writes. It takes whatever has queued while it was committing and commits that as one
// transaction, so that many writers share one fsync and no timer makes one of them wait.
//
// # The index follows
//
// An Append writes the message's row and nothing else. Where messages are, and which ids were used,
// is in memory for the youngest of them and goes to tables a little later, many to a page; a start
// reads the youngest messages.
//
// # What is known of users
//
// Users that were asked for, and the lists of their rooms, stay in memory until a commit changes them:
// every heartbeat asks. Who has no row at all is known by a filter, so that newcomers are not looked
// up. The folder is this process's alone, so nobody else changes what is known.
//
// # Damage
//
// Each row carries a CRC-32C over its content, numbers of a room and positions of messages are
// dense, and the tables have a count and a sum of their rows. Damage that is read is an error of
// kind Corrupt that names the file and the next step. From then on the store accepts no write;
// reads of what is not damaged go on. [Check] looks at everything at once.
//
// # Failing disks
//
// A full disk refuses writes with Unavailable until there is room again. Any other error of a
// write or an fsync ends writing for good and is reported by [Options].OnFatal: after a failed
// fsync nobody knows what is on the disk, so it is never repeated.
//
// # Deleting
//
// A deleted text is overwritten in place, by bytes of the same length, so that the tree around it
// never moves and leaves no copy behind; then the write-ahead log is emptied. When Delete has
// returned the text is in none of the files, unless a backup was reading them for long: then it
// goes as soon as the backup ends.
//
// # Retention
//
// Cut overwrites the first messages of a room in the same way, with the ids and the senders. Their
// rows stay, as zero bytes: the file does not shrink by it.
//
// # Upgrades
//
// Data of an older version is copied and the copy checked before it is brought to this version, in
// one transaction. Data of a newer one is refused.
//
// # Secrets
//
// Of the secrets of links and sessions the file has the SHA-256, so that nobody can sign in with
// what a backup holds. Tickets, which live 30 s, are in memory only. What is over is removed when
// more of its kind is put. [Restore] leaves links out: one that was used since the backup would be
// good again.
package sqlitestore
