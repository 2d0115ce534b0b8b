package wire

import (
	"encoding/json"
	"strings"
)

// Limits of the native protocol that a codec checks.
const (
	MaxID      = 64        // bytes of an id
	MaxLimit   = 200       // messages or rows of a page
	MaxResume  = 200       // rooms of hello's resume
	MaxDepth   = 32        // levels of objects and arrays of a frame, the frame itself being the first
	MaxInteger = 1<<53 - 1 // what every JSON reader keeps exact (RFC 8259 section 6)
)

// field is a member that the protocol knows by name.
type field uint8

const (
	fieldAction field = iota
	fieldID
	fieldRoom
	fieldPrivate
	fieldUser
	fieldTo
	fieldName
	fieldMessage
	fieldConnectionID
	fieldOperationType
	fieldAfter
	fieldBefore
	fieldLimit
	fieldResume
	fieldSeq
	fieldFrom
	fieldSender
	fieldEpoch
	fieldAt
	fieldDuplicate
	fieldSendTo
	fieldSentBy
	fieldSendBy
	fieldEndpoint
	fieldCount
)

var fieldNames = [fieldCount]string{
	"action", "id", "room", "private", "user", "to", "name", "message", "connectionId",
	"operationType", "after", "before", "limit", "resume", "seq", "from", "sender", "epoch", "at",
	"duplicate", "send_to", "sent_by", "send_by", "apigw_endpoint",
}

// claims are the members that only the server may state: refused in an action that does not
// define them.
const claims = 1<<fieldSeq | 1<<fieldFrom | 1<<fieldSender | 1<<fieldEpoch | 1<<fieldAt |
	1<<fieldDuplicate

// kind is what a member must hold; kindText says it in words.
type kind uint8

const (
	aName kind = iota
	aText
	aCursor
	aNumber
	aLimit
	aFlag
	anyJSON
	aResume
)

var kindText = [...]string{
	aName:   "a string that is not empty",
	aText:   "a string that is not empty",
	aCursor: "a string",
	aNumber: "an integer from 0 to 9007199254740991, in digits alone",
	aLimit:  "an integer from 1 to 200",
	aFlag:   "true or false",
	anyJSON: "any JSON",
	aResume: `an object of at most 200 members like "room":{"epoch":"…","seq":7}`,
}

// param is a member of an action beside action and id.
type param struct {
	field    field
	kind     kind
	required bool
}

// spec is one action: its members and a frame to show.
type spec struct {
	name    string
	as      string // the action of the native protocol that it is, "": this one
	params  []param
	example string
}

// The table of actions: decoding, help and the answer to an unknown action follow it.
var specs = []spec{
	{
		Hello, "",
		[]param{{fieldResume, aResume, false}},
		`{"action":"hello","id":"h1","resume":{"tea":{"epoch":"k3x9","seq":7}}}`,
	},
	{
		JoinRoom, "",
		[]param{{fieldRoom, aName, true}, {fieldPrivate, aFlag, false}},
		`{"action":"joinRoom","id":"j1","room":"tea"}`,
	},
	{
		LeaveRoom, "",
		[]param{{fieldRoom, aName, true}},
		`{"action":"leaveRoom","id":"l1","room":"tea"}`,
	},
	{
		Invite, "",
		[]param{{fieldRoom, aName, true}, {fieldUser, aName, true}},
		`{"action":"invite","id":"i1","room":"tea","user":"bob"}`,
	},
	{
		RemoveMember, "",
		[]param{{fieldRoom, aName, true}, {fieldUser, aName, true}},
		`{"action":"removeMember","id":"e1","room":"tea","user":"bob"}`,
	},
	{
		SendMessage, "",
		[]param{
			{fieldMessage, aText, true},
			{fieldRoom, aName, false},
			{fieldTo, aName, false},
			{fieldEndpoint, aName, false},
		},
		`{"action":"sendMessage","id":"m1","room":"tea","message":"hi"}`,
	},
	{
		DeleteMessage, "",
		[]param{{fieldRoom, aName, true}, {fieldSeq, aNumber, true}},
		`{"action":"deleteMessage","id":"d1","room":"tea","seq":7}`,
	},
	{
		GetHistory, "",
		[]param{
			{fieldRoom, aName, true},
			{fieldAfter, aNumber, false},
			{fieldBefore, aNumber, false},
			{fieldLimit, aLimit, false},
		},
		`{"action":"history","id":"q1","room":"tea","after":0,"limit":50}`,
	},
	{
		MarkRead, "",
		[]param{{fieldRoom, aName, true}, {fieldSeq, aNumber, true}},
		`{"action":"read","room":"tea","seq":7}`,
	},
	{Ping, "", nil, `{"action":"ping","id":"p1"}`},
	{
		ListRooms, "",
		[]param{{fieldAfter, aCursor, false}, {fieldLimit, aLimit, false}},
		`{"action":"rooms","id":"r1"}`,
	},
	{
		ListMembers, "",
		[]param{
			{fieldRoom, aName, true}, {fieldAfter, aCursor, false}, {fieldLimit, aLimit, false},
		},
		`{"action":"members","id":"r2","room":"tea"}`,
	},
	{
		ListUsers, "",
		[]param{{fieldAfter, aCursor, false}, {fieldLimit, aLimit, false}},
		`{"action":"users","id":"r3","after":"bob","limit":50}`,
	},
	{
		SetName, "",
		[]param{{fieldName, aName, true}},
		`{"action":"setName","id":"n1","name":"alice"}`,
	},
	{SetTyping, "", []param{{fieldRoom, aName, true}}, `{"action":"typing","room":"tea"}`},
	{GetConnectionID, "", nil, `{"action":"getConnectionId","id":"c1"}`},
	{
		SendDirect, "",
		[]param{
			{fieldConnectionID, aName, true},
			{fieldOperationType, aName, true},
			{fieldMessage, anyJSON, true},
		},
		`{"action":"sendDirect","id":"s1","connectionId":"JDH-3ejISQ0CFlw=",` +
			`"operationType":"signing","message":{"txId":"abc123"}}`,
	},
	{GetHelp, "", nil, `{"action":"help","id":"x1"}`},
	{
		SendMessageLower, SendMessage,
		[]param{{fieldMessage, aText, true}, {fieldEndpoint, aName, false}},
		`{"action":"sendmessage","message":"Hello AWS"}`,
	},
	{
		Send, SendMessage,
		[]param{
			{fieldMessage, aText, true},
			{fieldSendTo, aName, true},
			{fieldSentBy, aName, false},
			{fieldSendBy, aName, false},
		},
		`{"action":"send","message":"Hello World!","send_to":"bob","sent_by":"alice"}`,
	},
	{
		SendPublic, SendMessage,
		[]param{{fieldMessage, aText, true}},
		`{"action":"sendPublic","message":"hello world"}`,
	},
	{
		SendPrivate, SendMessage,
		[]param{{fieldTo, aName, true}, {fieldMessage, aText, true}},
		`{"action":"sendPrivate","to":"bob","message":"hi"}`,
	},
}

// dollarSendPublic is how the seed of the dialect lounge writes sendPublic in its last example.
const dollarSendPublic = "$sendPublic"

// Indexes of the table.
var (
	specOf      = indexSpecs()
	fieldOf     = indexFields(func(name string) string { return name })
	foldedField = indexFields(func(name string) string { return string(fold(nil, []byte(name))) })
	validNames  = strings.Join(ActionNames(), ", ")
)

// ActionNames lists every action, also those of the seed dialects, in the order of the document.
func ActionNames() []string {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.name
	}
	return names
}

// HelpActions lists every action with an example frame, in the order of the document.
func HelpActions() []HelpItem {
	items := make([]HelpItem, len(specs))
	for i, s := range specs {
		items[i] = HelpItem{Action: s.name, Example: json.RawMessage(s.example)}
	}
	return items
}

// defines tells whether the action has the member.
func (s *spec) defines(f field) bool {
	for _, p := range s.params {
		if p.field == f {
			return true
		}
	}
	return false
}

func indexSpecs() map[string]*spec {
	index := make(map[string]*spec, len(specs))
	for i := range specs {
		index[specs[i].name] = &specs[i]
	}
	return index
}

func indexFields(key func(string) string) map[string]field {
	index := make(map[string]field, len(fieldNames))
	for f, name := range fieldNames {
		index[key(name)] = field(f)
	}
	return index
}
