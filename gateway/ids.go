package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
)

// Ids look as AWS's of 2026 do: padded base64url, 13 bytes for connections and messages, 11 for
// requests; until 2025 all had 11. The bytes of a connection id after the first 8 authenticate these,
// so that an API tells an id that it has issued from one that it has not, without remembering any,
// and after a restart.
const (
	longID   = 13
	shortID  = 11
	idRandom = 8
	idTail   = longID - idRandom
)

// ids makes and checks ids. Random bytes are fetched in bulk.
type ids struct {
	key  []byte
	size int // bytes of a connection or message id
	mu   sync.Mutex
	rand io.Reader
	buf  [512]byte
	left []byte
}

func newIDs(apiID string, rand io.Reader, classic bool) *ids {
	key := sha256.Sum256([]byte("connection ids of " + apiID))
	size := longID
	if classic {
		size = shortID
	}
	return &ids{key: key[:], size: size, rand: rand}
}

// random fills b.
func (g *ids) random(b []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.left) < len(b) {
		if _, err := io.ReadFull(g.rand, g.buf[:]); err != nil {
			return fmt.Errorf("gateway: read randomness: %w", err)
		}
		g.left = g.buf[:]
	}
	copy(b, g.left)
	clear(g.left[:len(b)])
	g.left = g.left[len(b):]
	return nil
}

// connection makes a connection id and the tail that its message ids share.
func (g *ids) connection() (id string, tail [idTail]byte, err error) {
	var raw [longID]byte
	if err := g.random(raw[:idRandom]); err != nil {
		return "", tail, err
	}
	tail = g.tail(raw[:idRandom])
	copy(raw[idRandom:], tail[:])
	return encode(raw[:g.size]), tail, nil
}

// message makes a message id of the connection with the tail.
func (g *ids) message(tail [idTail]byte) (string, error) {
	var raw [longID]byte
	if err := g.random(raw[:idRandom]); err != nil {
		return "", err
	}
	copy(raw[idRandom:], tail[:])
	return encode(raw[:g.size]), nil
}

// request makes a request id.
func (g *ids) request() (string, error) {
	var raw [shortID]byte
	if err := g.random(raw[:]); err != nil {
		return "", err
	}
	return encode(raw[:]), nil
}

// encode gives the text of an id.
func encode(raw []byte) string {
	var text [(longID + 2) / 3 * 4]byte
	n := base64.URLEncoding.EncodedLen(len(raw))
	base64.URLEncoding.Encode(text[:n], raw)
	return string(text[:n])
}

// uuid makes a version 4 UUID, the form of x-amzn-RequestId.
func (g *ids) uuid() (string, error) {
	var raw [16]byte
	if err := g.random(raw[:]); err != nil {
		return "", err
	}
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80
	s := hex.EncodeToString(raw[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], nil
}

// issued tells whether id is a connection id of this API.
func (g *ids) issued(id string) bool {
	raw, err := base64.URLEncoding.Strict().DecodeString(id)
	if err != nil || len(raw) != g.size {
		return false
	}
	tail := g.tail(raw[:idRandom])
	return hmac.Equal(tail[:g.size-idRandom], raw[idRandom:])
}

func (g *ids) tail(random []byte) (tail [idTail]byte) {
	mac := hmac.New(sha256.New, g.key)
	mac.Write(random)
	copy(tail[:], mac.Sum(nil))
	return tail
}
