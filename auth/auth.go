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
func (o Open) Identify(_ context.Context, r Request) (Identity, error) {
	name, given := r.Query["name"]
	if !given {
		return o.guest()
	}
	clean, err := chat.CleanName("name", name)
	return Identity{User: clean}, err
}

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
	name := "guest-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:])[:6])
	return Identity{User: name, Guest: true}, nil
}
