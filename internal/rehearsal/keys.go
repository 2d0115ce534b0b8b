package rehearsal

import (
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"net/http"
	"regexp"
	"sync"

	"github.com/confab-chat/confab/lambdahost"
)

// keys are the credentials of the functions: worth something in this process alone, and each tells
// which function has signed a call.
type keys struct {
	secret string

	mu        sync.Mutex
	functions map[string]string // logical ids by access key
	secrets   map[string]string // by access key
}

func newKeys(secret string) *keys {
	return &keys{secret: secret, functions: map[string]string{}, secrets: map[string]string{}}
}

// give makes the credentials of a function. Those that the user gives it are taken instead.
func (k *keys) give(function string, own lambdahost.Credentials) lambdahost.Credentials {
	if own.AccessKeyID == "" || own.SecretAccessKey == "" {
		sum := sha256.Sum256([]byte(function))
		id := base32.StdEncoding.EncodeToString(sum[:10]) // as long as AWS's, whose form it has
		own = lambdahost.Credentials{
			AccessKeyID: "ASIA" + id, SecretAccessKey: k.secret, SessionToken: "confab-run",
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.functions[own.AccessKeyID] = function
	k.secrets[own.AccessKeyID] = own.SecretAccessKey
	return own
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
