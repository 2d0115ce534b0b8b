package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// minRSA is how many bits an RSA key has at least (NIST SP 800-131A).
const minRSA = 2048

// publicKey is a key and what it is for (RFC 7517 section 4).
type publicKey struct {
	jose.JSONWebKey
	operations []string
}

// UnmarshalJSON reads a key. One of a kind that is not known is none, and no reason to refuse the
// others.
func (k *publicKey) UnmarshalJSON(text []byte) error {
	var may struct {
		Operations []string `json:"key_ops"`
	}
	if err := json.Unmarshal(text, &may); err != nil {
		return err
	}
	if k.JSONWebKey.UnmarshalJSON(text) != nil {
		k.JSONWebKey = jose.JSONWebKey{}
	}
	k.operations = may.Operations
	return nil
}

// signs tells whether a key is for signatures by the algorithm, and strong enough for it.
func (k *publicKey) signs(algorithm jose.SignatureAlgorithm) bool {
	if k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != string(algorithm) {
		return false
	}
	if len(k.operations) > 0 && !slices.Contains(k.operations, "verify") {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return algorithm[:2] != "ES" && algorithm != jose.EdDSA && strong(key)
	case *ecdsa.PublicKey:
		return algorithm == curves[key.Curve.Params().Name]
	case ed25519.PublicKey:
		return algorithm == jose.EdDSA
	}
	return false
}

func strong(key *rsa.PublicKey) bool {
	return key.N.BitLen() >= minRSA && key.E > 2 && !isBroken(key.N)
}

// curves are the algorithms of ECDSA's curves (RFC 7518 section 3.4).
var curves = map[string]jose.SignatureAlgorithm{
	"P-256": jose.ES256, "P-384": jose.ES384, "P-521": jose.ES512,
}

// infineon are primes by which the keys of a broken generator are known (CVE-2017-15361, "ROCA"):
// modulo each of them they are powers of 65537.
var infineon = []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157}

// isBroken tells whether a modulus is of that generator.
func isBroken(n *big.Int) bool {
	return !slices.ContainsFunc(infineon, func(p int64) bool {
		rest := new(big.Int).Mod(n, big.NewInt(p)).Int64()
		for power := int64(1); ; {
			if power == rest {
				return false
			}
			if power = power * 65537 % p; power == 1 {
				return true
			}
		}
	})
}

// hashes are those of the algorithms of PSS.
var hashes = map[string]crypto.Hash{
	"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512,
}

// checkSalt refuses a PSS signature whose salt is not as long as the hash (RFC 7518 section 3.5):
// the library takes any.
func checkSalt(token string, signature []byte, key *publicKey, algorithm string) error {
	public, _ := key.Key.(*rsa.PublicKey)
	text, hash := token[:strings.LastIndexByte(token, '.')], hashes[algorithm]
	digest := hash.New()
	digest.Write([]byte(text))
	options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
	return rsa.VerifyPSS(public, hash, digest.Sum(nil), signature, options)
}
