// Package sim plays clients and faults against the real system.
//
// [Serve] runs the program `confab serve` as a process of its own, which a test may kill. [Client]
// is a client as docs/protocol.md wants it: it resumes where it was, fetches what it missed, repeats
// what was not acknowledged, and writes all that it does and sees into a history of the checker. The
// tests here are the fault tests of the whole system; CONFAB_DEEP=1 runs their long column.
package sim
