// Package auth answers who somebody is: [Open] believes the URL, [Service] knows accounts, the
// links by which people join and add devices, and sessions. It knows neither rooms nor messages.
//
// Secrets (links, sessions, tickets) are 130 random bits; stores keep their SHA-256 alone.
package auth

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"io"
	"strings"
	"time"

	"github.com/confab-chat/confab/chat"
)

// Request is what a handshake shows of who is asking.
type Request struct {
	Query   map[string]string
	Headers map[string]string // in any case
	// Authorizer is what an authorizer in front has said; nil: there is none.
	Authorizer map[string]any
}

// Header gives a header in any case, and whether it was sent.
func (r *Request) Header(name string) (value string, sent bool) {
	if v, ok := r.Headers[name]; ok {
		return v, true
	}
	for k, v := range r.Headers {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return "", false
}

// Identity is the user of a connection.
type Identity struct {
	User     string    // a clean name; another spelling of it may be recorded already
	Guest    bool      // nobody gave the name: it was made for this connection
	Session  string    // what the user is signed in by; "" in open mode
	Until    time.Time // when that ends at the latest; zero: never
	Protocol string    // the sub-protocol that the handshake is to be answered with; "" for none
}

// Open is the mode without sign-in: the user is whatever name the URL gives, and nothing is
// proven. The same name again is another device of the same user.
type Open struct {
	Rand io.Reader // for guests' names; nil: crypto/rand
}

// Identify gives the user of ?name=, or a new guest-xxxxxx without it. A name that breaks
// chat.NameRule is chat.Invalid.
//
// A handshake that offers sub-protocols is answered with the first one: a browser fails
// otherwise. What stands behind it, as the token of a page that was made for sign-in, is not
// looked at.
func (o Open) Identify(_ context.Context, r Request) (id Identity, err error) {
	if name, given := r.Query["name"]; given {
		id.User, err = chat.CleanName("name", name)
	} else {
		id, err = o.guest()
	}
	if err != nil {
		return Identity{}, err
	}
	id.Protocol, _ = r.protocols()
	return id, nil
}

// protocols gives the first two sub-protocols that a handshake offers.
func (r *Request) protocols() (first, second string) {
	offered, _ := r.Header("Sec-WebSocket-Protocol")
	first, rest, _ := strings.Cut(offered, ",")
	second, _, _ = strings.Cut(rest, ",")
	return strings.TrimSpace(first), strings.TrimSpace(second)
}

// GuestPrefix is what the names of guests begin with.
const GuestPrefix = "guest-"

// guest makes a name of 30 random bits.
func (o Open) guest() (Identity, error) {
	source := o.Rand
	if source == nil {
		source = rand.Reader
	}
	var b [4]byte
	if _, err := io.ReadFull(source, b[:]); err != nil {
		return Identity{}, chat.Wrap(chat.Internal, "guest", err)
	}
	name := GuestPrefix + strings.ToLower(base32.StdEncoding.EncodeToString(b[:])[:6])
	return Identity{User: name, Guest: true}, nil
}
