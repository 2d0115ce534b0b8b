package dynamostore

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
)

// Names of attributes are short because they are paid for; expressions write them out. Times are
// in milliseconds, but for the expiry, which DynamoDB wants in seconds.
const (
	attrExpiry = "x"

	// head
	attrKind      = "k"
	attrName      = "nm" // of a public room and a name too
	attrOwner     = "o"
	attrEpoch     = "e"
	attrSeq       = "n" // of sent too
	attrAt        = "a" // of most items: when it was made, or changed last
	attrGen       = "g" // of member, user's room and subscription too
	attrRemoved   = "rm"
	attrRemovedAt = "rt"
	attrDisplay   = "dn" // of a user
	attrListed    = "li"

	// message
	attrState = "s" // of member, user's room and announced too
	attrFrom  = "f" // of an audit entry too
	attrID    = "i"
	attrText  = "t"
	attrCRC   = "c"
	attrHash  = "h" // of sent too

	// member, user's room
	attrInviter = "inv"
	attrRead    = "r"

	// connection, user's connection, subscription
	attrUser     = "u"
	attrDialect  = "d"
	attrEndpoint = "ep"
	attrUntil    = "un"
	attrHello    = "hi"
	attrNamed    = "na"
	attrSession  = "se" // of a ticket too: the hash
	attrSeen     = "s"
	attrWindow   = "w"
	attrCount    = "c"
	attrClosed   = "cl" // of a name: who claims it; of a turn: who has it; of what is announced: whose news it was
	attrRooms    = "rs"

	// account; handle and subject, of which it has the claims
	attrHandle   = "hd"
	attrSubject  = "su"
	attrIsOwner  = "ow"
	attrDisabled = "di"
	attrPending  = "pe" // since when it is being made
	attrClaim    = "cm" // of the attempt that made it, and of its handle and subject

	// link, session, ticket
	attrAccount = "ac" // of handle and subject too
	attrMaker   = "mb"
	attrUses    = "ct"
	attrDevice  = "dv"
	attrUsed    = "ud" // of a ticket: by which call

	// audit entry
	attrAction = "an"
	attrObject = "ob"

	// presence notes
	attrUsers = "us" // of a link too

	// schema
	attrVersion = "v"
)

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func bin(b []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: b} }
func yes() types.AttributeValue         { return flag(true) }
func flag(is bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: is} }

func num[N ~int | ~int64 | ~uint8 | ~uint32 | ~uint64](n N) types.AttributeValue {
	if n < 0 {
		return &types.AttributeValueMemberN{Value: strconv.FormatInt(int64(n), 10)}
	}
	return &types.AttributeValueMemberN{Value: strconv.FormatUint(uint64(n), 10)}
}

func millis(t time.Time) types.AttributeValue { return num(t.UnixMilli()) }

// expiry is the first whole second at which an item that ends at t is over.
func expiry(t time.Time) types.AttributeValue {
	return num(t.Add(time.Second - 1).Unix())
}

// setStr sets a string attribute unless it is empty: absent and empty read alike.
func setStr(it item, name, value string) {
	if value != "" {
		it[name] = str(value)
	}
}

// setTime sets a time in milliseconds unless it is zero.
func setTime(it item, name string, t time.Time) {
	if !t.IsZero() {
		it[name] = millis(t)
	}
}

// row reads an item's attributes. An attribute of a wrong type reads as absent and is remembered
// for err.
type row struct {
	it  item
	bad string // name of the first attribute that could not be read
}

func (r *row) has(name string) bool { return r.it[name] != nil }

func (r *row) str(name string) string {
	switch v := r.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberS:
		return v.Value
	default:
		r.spoil(name)
	}
	return ""
}

// flag reads a truth; absent is false.
func (r *row) flag(name string) bool {
	switch v := r.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberBOOL:
		return v.Value
	default:
		r.spoil(name)
	}
	return false
}

// hash reads a hash in hexadecimal.
func (r *row) hash(name string) (h auth.Hash) {
	text := r.str(name)
	if len(text) != 2*len(h) {
		r.spoil(name)
		return h
	}
	if _, err := hex.Decode(h[:], []byte(text)); err != nil {
		r.spoil(name)
	}
	return h
}

func (r *row) bin(name string) []byte {
	switch v := r.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberB:
		return v.Value
	default:
		r.spoil(name)
	}
	return nil
}

func (r *row) uint(name string) uint64 {
	n, err := parseNum(r.it[name], strconv.ParseUint)
	if err {
		r.spoil(name)
	}
	return n
}

func (r *row) int(name string) int64 {
	n, err := parseNum(r.it[name], strconv.ParseInt)
	if err {
		r.spoil(name)
	}
	return n
}

func parseNum[N int64 | uint64](
	v types.AttributeValue, parse func(string, int, int) (N, error),
) (n N, bad bool) {
	switch v := v.(type) {
	case nil:
		return 0, false
	case *types.AttributeValueMemberN:
		n, err := parse(v.Value, 10, 64)
		return n, err != nil
	}
	return 0, true
}

// time reads a time in milliseconds; absent is the zero time.
func (r *row) time(name string) time.Time {
	if !r.has(name) {
		return time.Time{}
	}
	return time.UnixMilli(r.int(name)).UTC()
}

// uints reads a map of numbers.
func (r *row) uints(name string) map[string]uint64 {
	m, ok := r.it[name].(*types.AttributeValueMemberM)
	if !ok {
		if r.has(name) {
			r.spoil(name)
		}
		return nil
	}
	nested := row{it: m.Value}
	numbers := make(map[string]uint64, len(m.Value))
	for k := range m.Value {
		numbers[k] = nested.uint(k)
	}
	if nested.bad != "" {
		r.spoil(name)
	}
	return numbers
}

// strs makes a set of strings, which must not be empty.
func strs(set ...string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: set} }

// strs reads a set of strings.
func (r *row) strs(name string) []string {
	switch v := r.it[name].(type) {
	case nil:
	case *types.AttributeValueMemberSS:
		return v.Value
	default:
		r.spoil(name)
	}
	return nil
}

// expired tells whether the item is over. An item without expiry never is.
func (r *row) expired(now time.Time) bool {
	return r.has(attrExpiry) && r.int(attrExpiry) <= now.Unix()
}

func (r *row) spoil(name string) {
	if r.bad == "" {
		r.bad = name
	}
}

// err is Corrupt when an attribute could not be read.
func (r *row) err(table string) error {
	if r.bad == "" {
		return nil
	}
	return damaged(table, keyOf(r.it), "attribute "+r.bad+" is malformed")
}

// damaged is the error for an item that is not as it was written.
func damaged(table string, k key, what string) error {
	return chat.E(chat.Corrupt, "table %s, item %s / %s: %s; restore the table from a backup",
		table, k.pk, k.sk, what)
}
