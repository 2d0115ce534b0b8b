package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
)

// Hash is the SHA-256 of a secret: what a store knows of it.
type Hash [sha256.Size]byte

// HashOf gives the hash of a secret. Secrets are random, so no salt is needed.
func HashOf(secret string) Hash { return sha256.Sum256([]byte(secret)) }

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ID is a part of the hash by which people tell secrets from one another. It gives nothing away.
func (h Hash) ID() string { return hex.EncodeToString(h[:6]) }

// alphabet is base32 in lower case (RFC 4648 section 6): safe in URLs, in headers and to read out.
const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// newSecret makes 26 characters with 130 random bits.
func newSecret(source io.Reader) (string, error) { return newText(source, 26) }

func newText(source io.Reader, length int) (string, error) {
	if source == nil {
		source = rand.Reader
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(source, text); err != nil {
		return "", err
	}
	for i, b := range text {
		text[i] = alphabet[b%32]
	}
	return string(text), nil
}
