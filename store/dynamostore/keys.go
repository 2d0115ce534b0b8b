package dynamostore

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/confab-chat/confab/auth"
)

// The table's keys, all of them. Names have no '#', so no two kinds of item can meet; a subject may
// have some, and is alone in its kind of partition.
//
//	item                PK            SK
//	connection          C#0–3         id            the number is a hash of the id
//	user's connection   U#user        C#id          with the rooms it is subscribed to
//	subscription        S#room        id
//	head                R#room        HEAD
//	message             R#room        M#16 digits
//	member              R#room        U#user
//	user's room         U#user        R#room
//	typing              U#user        TYPING
//	turn                U#user        TURN
//	announced           U#user        ANNOUNCED
//	sent                D#user        room#id
//	user                P#0–3         user          the number is a hash of the name
//	name                N#folded      NAME
//	public room         ROOMS         room
//	presence notes      PRESENCE      room
//	account             A#id          ACCOUNT
//	account's session   A#id          S#hash
//	handle              HANDLES       key           what handles have in common that look alike
//	subject             I#subject     SUBJECT       of an issuer
//	session             H#hash        SESSION
//	ticket              T#hash        TICKET
//	link                LINKS         hash          with who has used it
//	audit entry         AUDIT         id
//	schema              SCHEMA        SCHEMA
const (
	pkName = "PK"
	skName = "SK"

	headSK     = "HEAD"
	nameSK     = "NAME"
	typingSK   = "TYPING"
	turnSK     = "TURN"
	announceSK = "ANNOUNCED"
	roomsPK    = "ROOMS"
	presencePK = "PRESENCE"
	accountSK  = "ACCOUNT"
	handlesPK  = "HANDLES"
	subjectSK  = "SUBJECT"
	sessionSK  = "SESSION"
	ticketSK   = "TICKET"
	linksPK    = "LINKS"
	auditPK    = "AUDIT"
	schemaID   = "SCHEMA"

	messagePrefix    = "M#"
	memberPrefix     = "U#"
	roomPrefix       = "R#"
	connectionPrefix = "C#"
	sessionPrefix    = "S#"
)

// spread is over how many partitions connections, and users, are spread.
const spread = 4

// key is the primary key of an item.
type key struct{ pk, sk string }

func connectionKey(id string) key            { return key{connectionsPK(spreadOf(id)), id} }
func userConnectionKey(user, id string) key  { return key{userPK(user), connectionPrefix + id} }
func subscriptionKey(room, id string) key    { return key{subscriptionsPK(room), id} }
func headKey(room string) key                { return key{roomPK(room), headSK} }
func messageKey(room string, seq uint64) key { return key{roomPK(room), messageSK(seq)} }
func memberKey(room, user string) key        { return key{roomPK(room), memberPrefix + user} }
func userRoomKey(user, room string) key      { return key{userPK(user), roomPrefix + room} }
func typingKey(user string) key              { return key{userPK(user), typingSK} }
func turnKey(user string) key                { return key{userPK(user), turnSK} }
func announcedKey(user string) key           { return key{userPK(user), announceSK} }
func sentKey(user, room, id string) key      { return key{"D#" + user, room + "#" + id} }
func userKey(user string) key                { return key{usersPK(spreadOf(user)), user} }
func nameKey(folded string) key              { return key{"N#" + folded, nameSK} }
func publicRoomKey(room string) key          { return key{roomsPK, room} }
func presenceKey(room string) key            { return key{presencePK, room} }
func accountKey(id string) key               { return key{accountPK(id), accountSK} }
func handleKey(handle string) key            { return key{handlesPK, auth.HandleKey(handle)} }
func subjectKey(subject string) key          { return key{"I#" + subject, subjectSK} }
func sessionKey(h auth.Hash) key             { return key{"H#" + h.String(), sessionSK} }
func ticketKey(h auth.Hash) key              { return key{"T#" + h.String(), ticketSK} }
func linkKey(h auth.Hash) key                { return key{linksPK, h.String()} }
func auditKey(id string) key                 { return key{auditPK, id} }
func schemaKey() key                         { return key{schemaID, schemaID} }

func accountSessionKey(id string, h auth.Hash) key {
	return key{accountPK(id), sessionPrefix + h.String()}
}

func roomPK(room string) string          { return "R#" + room }
func userPK(user string) string          { return "U#" + user }
func accountPK(id string) string         { return "A#" + id }
func subscriptionsPK(room string) string { return "S#" + room }
func connectionsPK(n int) string         { return "C#" + strconv.Itoa(n) }
func usersPK(n int) string               { return "P#" + strconv.Itoa(n) }

func messageSK(seq uint64) string { return fmt.Sprintf("%s%016d", messagePrefix, seq) }

// seqOf gives the number of a message's sort key.
func seqOf(sk string) (uint64, error) {
	digits, _ := strings.CutPrefix(sk, messagePrefix)
	return strconv.ParseUint(digits, 10, 64)
}

func spreadOf(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % spread)
}

// span is a range of sort keys in one partition, both ends included.
type span struct{ pk, lo, hi string }

// prefixed spans the sort keys with the prefix that come after prefix + after. No name holds a
// NUL, so that the lowest string above one is the name and a NUL.
func prefixed(pk, prefix, after string) span {
	return span{pk, prefix + after + "\x00", prefix + "\U0010FFFF"}
}

// messagesFrom spans the messages with numbers from lo to hi.
func messagesFrom(room string, lo, hi uint64) span {
	return span{roomPK(room), messageSK(lo), messageSK(hi)}
}

// item gives the key's attributes.
func (k key) item() item {
	return item{pkName: str(k.pk), skName: str(k.sk)}
}

// keyOf gives the key of an item as it was read.
func keyOf(it item) key {
	r := row{it: it}
	return key{r.str(pkName), r.str(skName)}
}

// item is an item, or a part of one, as DynamoDB has it.
type item = map[string]types.AttributeValue
