package rehearsal

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"net/http"
	"regexp"
	"strconv"
	"sync"

	"github.com/confab-chat/confab/lambdahost"
)

// maxKeys is how many functions have credentials of their own: as many as a template has resources
// (CloudFormation User Guide, "Understand CloudFormation quotas").
const maxKeys = 500

// keys are the credentials of the functions: worth something in this process alone, and each tells
// which function has signed a call. They are made before they are needed, as an API that is open
// learns of no new ones.
type keys struct {
	mu        sync.Mutex
	secrets   map[string]string // by access key
	free      []string          // access keys that no function has
	functions map[string]string // logical ids by access key
}

func newKeys(secret string) *keys {
	k := &keys{functions: map[string]string{}, secrets: map[string]string{}}
	for i := range maxKeys {
		sum := sha256.Sum256([]byte(strconv.Itoa(i)))
		id := "ASIA" + base32.StdEncoding.EncodeToString(sum[:10]) // in the form of AWS's
		k.free = append(k.free, id)
		k.secrets[id] = secret
	}
	return k
}

// give gives a function its credentials, always the same. Those that the user has for it are taken
// instead.
func (k *keys) give(function string, own lambdahost.Credentials) lambdahost.Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	if own.AccessKeyID == "" || own.SecretAccessKey == "" {
		id := k.of(function)
		own = lambdahost.Credentials{
			AccessKeyID: id, SecretAccessKey: k.secrets[id], SessionToken: "confab-run",
		}
	}
	k.functions[own.AccessKeyID] = function
	k.secrets[own.AccessKeyID] = own.SecretAccessKey
	return own
}

// of gives the access key of a function. k.mu is held.
func (k *keys) of(function string) string {
	for id, has := range k.functions {
		if has == function {
			return id
		}
	}
	id := k.free[0]
	if len(k.free) > 1 { // the rest share the last
		k.free = k.free[1:]
	}
	return id
}

// all gives the secrets by access key.
func (k *keys) all() map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.secrets)
}

// caller is who has made a call, as far as the call says.
type caller struct{ function, trace string }

var (
	credential = regexp.MustCompile(`Credential=([^/,\s]+)/`)
	traceRoot  = regexp.MustCompile(`Root=([0-9a-fA-F-]+)`)
)

// caller reads who has signed a request, and for which invocation: Amazon's clients pass on the
// trace of the event that a function handles.
func (r *Runner) caller(req *http.Request) (c caller) {
	if m := credential.FindStringSubmatch(req.Header.Get("Authorization")); m != nil {
		r.keys.mu.Lock()
		c.function = r.keys.functions[m[1]]
		r.keys.mu.Unlock()
	}
	if m := traceRoot.FindStringSubmatch(req.Header.Get("X-Amzn-Trace-Id")); m != nil {
		c.trace = m[1]
	}
	return c
}
