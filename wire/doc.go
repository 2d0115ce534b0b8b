// Package wire is the frames: what a client sends (an [Action]), what it is sent (an [Event]), and
// the codecs between them and bytes. The public document of the native protocol is docs/protocol.md.
//
// It imports nothing of the module, because it is the public contract.
package wire
