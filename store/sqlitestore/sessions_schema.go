package sqlitestore

import (
	"encoding/hex"
	"time"

	"github.com/confab-chat/confab/auth"
)

// sessionsSchema is the tables of who may sign in. Of secrets they have the SHA-256 in hexadecimal.
var sessionsSchema = []string{
	`CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  handle TEXT NOT NULL, -- the user's name in the chat
  key TEXT NOT NULL, -- what handles have in common that could be taken for one another
  subject TEXT NOT NULL, -- issuer and subject of an OIDC token, or empty
  owner INTEGER NOT NULL, -- 1: yes
  disabled INTEGER NOT NULL, -- 1: yes
  since INTEGER NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
	`CREATE UNIQUE INDEX accounts_key ON accounts (key)`,
	`CREATE UNIQUE INDEX accounts_subject ON accounts (subject) WHERE subject <> ''`,
	`CREATE TABLE links (
  hash TEXT PRIMARY KEY, -- of the secret
  kind INTEGER NOT NULL, -- 1 owner, 2 invite, 3 device
  account TEXT NOT NULL, -- of a device link: the id whose device it is
  made_by TEXT NOT NULL, -- id; empty is the operator
  uses INTEGER NOT NULL, -- how often it may be used
  made INTEGER NOT NULL,
  until INTEGER NOT NULL,
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
	`CREATE TABLE link_uses (
  hash TEXT NOT NULL, -- of the link
  account TEXT NOT NULL, -- the id it made; of a device link: a random text for each use
  crc INTEGER NOT NULL,
  PRIMARY KEY (hash, account)
) WITHOUT ROWID, STRICT`,
	`CREATE TABLE sessions (
  hash TEXT PRIMARY KEY, -- of the secret
  account TEXT NOT NULL, -- id
  device TEXT NOT NULL, -- what it says of itself
  made INTEGER NOT NULL,
  used INTEGER NOT NULL, -- about
  until INTEGER NOT NULL, -- at the latest; one that is not used for 30 days ends before
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
	`CREATE INDEX sessions_account ON sessions (account)`,
	`CREATE INDEX sessions_used ON sessions (used)`,
	`CREATE TABLE audit (
  id TEXT PRIMARY KEY, -- sorts by time
  at INTEGER NOT NULL,
  actor TEXT NOT NULL, -- handle, or operator
  action TEXT NOT NULL,
  object TEXT NOT NULL, -- a handle, a room, the first 12 digits of a hash
  crc INTEGER NOT NULL
) WITHOUT ROWID, STRICT`,
}

// The tables of who may sign in, as named in sums.
const (
	inAccounts = "accounts"
	inLinks    = "links"
	inLinkUses = "link_uses"
	inSessions = "sessions"
	inAudit    = "audit"
)

// flag is how a truth is stored.
func flag(is bool) int64 {
	if is {
		return 1
	}
	return 0
}

// timeAt gives a time in milliseconds since 1970.
func timeAt(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// hashIn reads a hash in hexadecimal; ok is false where it is none.
func hashIn(text string) (h auth.Hash, ok bool) {
	n, err := hex.Decode(h[:], []byte(text[:min(len(text), 2*len(h))]))
	return h, err == nil && n == len(h) && len(text) == 2*len(h)
}
