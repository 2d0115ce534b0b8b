// Package shell is what the commands do that people and scripts chat with: chat, send, tail,
// history, users and rooms. Messages and answers go to standard output, everything else is said on
// standard error.
package shell
