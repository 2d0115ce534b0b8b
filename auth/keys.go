package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// How long keys are used.
const (
	keysFresh = time.Hour      // before they are read again, so that a key that was withdrawn goes
	keysLast  = 24 * time.Hour // while the issuer does not answer
)

// algorithms are those by which a token may be signed: asymmetric ones alone, so that no public
// key is taken for a shared secret, and "none" is none of them (RFC 8725 section 3.1).
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// keySet is the public keys of an issuer. It reads them when a token needs one that it does not
// have, at most every askAgain.
type keySet struct {
	where  func(context.Context) (string, error) // the URL of the keys
	client *http.Client
	now    func() time.Time

	reading sync.Mutex // held by who asks the issuer
	mu      sync.Mutex
	keys    []publicKey
	read    time.Time // when keys were read; zero: never
	tried   time.Time
}

// VerifySignature gives the payload of a token in its compact form. Of its header only kid and alg
// count: keys that it brings, or says where to find, are not looked at.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	header := signed.Signatures[0].Header
	payload, err := s.verify(token, signed, header)
	if err == nil && !s.stale() {
		return payload, nil
	}
	if readErr := s.readAgain(ctx); readErr != nil {
		if err == nil && !s.tooOld() {
			return payload, nil
		}
		return nil, errors.Join(err, readErr)
	}
	return s.verify(token, signed, header)
}

func (s *keySet) verify(
	token string, signed *jose.JSONWebSignature, header jose.Header,
) ([]byte, error) {
	key, err := s.find(header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return nil, err
	}
	payload, err := signed.Verify(key.Key)
	if err == nil && strings.HasPrefix(header.Algorithm, "PS") {
		err = checkSalt(token, signed.Signatures[0].Signature, key, header.Algorithm)
	}
	return payload, err
}

// find gives the one key that a token of this kid and algorithm may be signed by. Without a kid
// it has to be the only one.
func (s *keySet) find(kid string, algorithm jose.SignatureAlgorithm) (*publicKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *publicKey
	for i := range s.keys {
		k := &s.keys[i]
		if kid != "" && k.KeyID != kid || !k.signs(algorithm) {
			continue
		}
		if found != nil {
			return nil, errors.New("several keys could have signed the token")
		}
		found = k
	}
	if found == nil {
		return nil, errors.New("no key of the issuer has signed the token")
	}
	return found, nil
}

func (s *keySet) stale() bool  { return s.age() >= keysFresh }
func (s *keySet) tooOld() bool { return s.age() >= keysLast }

func (s *keySet) age() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().Sub(s.read)
}

// errAskedLately is that the issuer is not asked again already.
var errAskedLately = errors.New("the issuer's keys were read just now")

// readAgain reads the keys, unless that was tried just now. Who comes while another one reads
// waits for it, and has what it has read.
func (s *keySet) readAgain(ctx context.Context) error {
	before := s.lastTry()
	s.reading.Lock()
	defer s.reading.Unlock()
	last := s.lastTry()
	switch now := s.now(); {
	case !last.Equal(before):
		return nil
	case now.Sub(last) < askAgain && !now.Before(last):
		return errAskedLately
	}
	keys, err := s.fetch(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tried = s.now()
	if err != nil {
		return unanswered(err)
	}
	s.keys, s.read = keys, s.tried
	return nil
}

func (s *keySet) lastTry() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tried
}

func (s *keySet) fetch(ctx context.Context) ([]publicKey, error) {
	where, err := s.where(ctx)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	response, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer's keys: %s", response.Status)
	}
	var set struct {
		Keys []publicKey `json:"keys"`
	}
	return set.Keys, json.Unmarshal(text, &set)
}
