package wire

// The actions of the native protocol.
const (
	Hello           = "hello"
	JoinRoom        = "joinRoom"
	LeaveRoom       = "leaveRoom"
	Invite          = "invite"
	RemoveMember    = "removeMember"
	SendMessage     = "sendMessage"
	DeleteMessage   = "deleteMessage"
	GetHistory      = "history"
	MarkRead        = "read"
	Ping            = "ping"
	ListRooms       = "rooms"
	ListMembers     = "members"
	ListUsers       = "users"
	SetName         = "setName"
	SetTyping       = "typing"
	GetConnectionID = "getConnectionId"
	SendDirect      = "sendDirect"
	GetHelp         = "help"
)

// The actions of the seed dialects that the native protocol has under another name: all of them are
// a [SendMessage], with its [Action.Alias] set. They are accepted in every dialect.
const (
	Send             = "send"
	SendMessageLower = "sendmessage"
	SendPublic       = "sendPublic"
	SendPrivate      = "sendPrivate"
)

// Action is one decoded frame of a client. Which fields count depends on Name; a field that the
// frame omits is zero.
type Action struct {
	Name          string // one of the constants of the native protocol
	Alias         string // the seed dialects' name of the action, where the frame has that
	ID            string // the client's id of the request, 1 to 64 bytes, or ""
	Room          string
	Private       bool   // of joinRoom
	User          string // of invite, removeMember
	To            string // of sendMessage: a user instead of a room; of send: the member "send_to"
	SentBy        string // of send: who the client says it is, to be checked; or it is SendBy
	SendBy        string
	Endpoint      string // of sendMessage: the member "apigw_endpoint"
	NewName       string // of setName: the member "name"
	Text          string // of sendMessage: the member "message"
	Payload       []byte // of sendDirect: the member "message", raw JSON, part of the frame's bytes
	ConnectionID  string // of sendDirect
	OperationType string // of sendDirect
	Seq           uint64 // of deleteMessage, read
	After, Before uint64 // of history; HasAfter and HasBefore tell whether they were given
	HasAfter      bool
	HasBefore     bool
	Cursor        string // of rooms, members, users: the member "after"
	Limit         int    // of history and lists; 0: not given
	Resume        []Resume
}

// Resume is one room of hello's resume member, in the order of the frame.
type Resume struct {
	Room  string
	Epoch string
	Seq   uint64
}
