package export

import (
	"fmt"
	"time"

	"github.com/confab-chat/confab/auth"
	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// The values of a line's type.
const (
	typeHeader  = "confab-export"
	typeRoom    = "room"
	typeUser    = "user"
	typeDisplay = "display"
	typeMember  = "member"
	typeRead    = "read"
	typeAccount = "account"
	typeSession = "session"
	typeAudit   = "audit"
	typeMessage = "message"
	typeEnd     = "end"
)

// The lines, as docs/export.md has them.
type (
	header struct {
		Type    string `json:"type"`
		Version int    `json:"version"`
	}
	roomLine struct {
		Type  string `json:"type"`
		Room  string `json:"room"`
		Name  string `json:"name"`
		Kind  string `json:"kind"`
		Owner string `json:"owner,omitempty"`
		Epoch string `json:"epoch"`
		Seq   uint64 `json:"seq"`
		Gen   uint64 `json:"gen,omitempty"`
		Cut   uint64 `json:"cut,omitempty"`
		Keep  string `json:"keep,omitempty"`
	}
	userLine struct {
		Type  string `json:"type"`
		Name  string `json:"name"`
		Since string `json:"since"`
	}
	displayLine struct {
		Type    string `json:"type"`
		User    string `json:"user"`
		Display string `json:"display"`
	}
	memberLine struct {
		Type  string `json:"type"`
		Room  string `json:"room"`
		User  string `json:"user"`
		State string `json:"state"`
		By    string `json:"by,omitempty"`
		Gen   uint64 `json:"gen,omitempty"`
	}
	readLine struct {
		Type string `json:"type"`
		Room string `json:"room"`
		User string `json:"user"`
		Seq  uint64 `json:"seq"`
	}
	accountLine struct {
		Type     string `json:"type"`
		ID       string `json:"id"`
		Handle   string `json:"handle"`
		Subject  string `json:"subject,omitempty"`
		Owner    bool   `json:"owner,omitempty"`
		Disabled bool   `json:"disabled,omitempty"`
		Since    string `json:"since"`
	}
	sessionLine struct {
		Type    string `json:"type"`
		Hash    string `json:"hash"`
		Account string `json:"account"`
		Device  string `json:"device"`
		Made    string `json:"made"`
		Used    string `json:"used"`
		Until   string `json:"until"`
	}
	auditLine struct {
		Type   string `json:"type"`
		ID     string `json:"id"`
		At     string `json:"at"`
		Actor  string `json:"actor"`
		Action string `json:"action"`
		Object string `json:"object"`
	}
	messageLine struct {
		Type    string `json:"type"`
		Room    string `json:"room"`
		Seq     uint64 `json:"seq"`
		ID      string `json:"id,omitempty"`
		From    string `json:"from,omitempty"`
		At      string `json:"at,omitempty"`
		Text    string `json:"text,omitempty"`
		Deleted bool   `json:"deleted,omitempty"`
		Void    bool   `json:"void,omitempty"`
	}
	ending struct {
		Type  string `json:"type"`
		Lines int    `json:"lines"`
	}
)

// The words for kinds of room and states of members; the number is the index.
var (
	kinds  = []string{"", "lobby", "public", "private", "direct"}
	states = []string{"", "joined", "invited", "left"}
)

// word gives the word for a number.
func word(words []string, n uint8) string {
	if int(n) < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// layout is how times are written: RFC 3339 in UTC with milliseconds.
const layout = "2006-01-02T15:04:05.000Z"

func moment(t time.Time) string { return t.UTC().Format(layout) }

// lineOf gives the line of a record.
func lineOf(record sqlitestore.Record) any {
	switch v := record.(type) {
	case chat.Head:
		return roomLine{
			typeRoom, v.Room, v.Name, word(kinds, uint8(v.Kind)), v.Owner, v.Epoch, v.Seq, v.Gen, v.Cut,
			keepText(v.Keep),
		}
	case chat.User:
		return userLine{typeUser, v.Name, moment(v.Since)}
	case sqlitestore.Display:
		return displayLine{typeDisplay, v.User, v.Display}
	case chat.Member:
		return memberLine{typeMember, v.Room, v.User, word(states, uint8(v.State)), v.InvitedBy, v.Gen}
	case sqlitestore.ReadMarker:
		return readLine{typeRead, v.Room, v.User, v.Seq}
	case auth.Account:
		return accountLine{typeAccount, v.ID, v.Handle, v.Subject, v.Owner, v.Disabled, moment(v.Since)}
	case auth.Session:
		return sessionLine{
			typeSession, v.Hash.String(), v.Account, v.Device,
			moment(v.Made), moment(v.Used), moment(v.Until),
		}
	case auth.Entry:
		return auditLine{typeAudit, v.ID, moment(v.At), v.Actor, v.Action, v.Object}
	}
	m := record.(chat.Message)
	if m.State == chat.Void {
		return messageLine{Type: typeMessage, Room: m.Room, Seq: m.Seq, Void: true}
	}
	return messageLine{
		typeMessage, m.Room, m.Seq, m.ID, m.From, moment(m.At), m.Text, m.State == chat.Deleted, false,
	}
}

// keepForever is a room's retention where it is none.
const keepForever = "forever"

// keepText writes a room's retention.
func keepText(keep time.Duration) string {
	switch {
	case keep == 0:
		return ""
	case keep < 0:
		return keepForever
	}
	return keep.String()
}

// record gives what a line says.
func (m *members) record() (record sqlitestore.Record, err error) {
	switch m.kind {
	case typeRoom:
		record = chat.Head{
			Room: m.text("room"), Name: m.text("name"), Kind: chat.RoomKind(m.word("kind", kinds)),
			Owner: m.maybe("owner"), Epoch: m.text("epoch"), Seq: m.number("seq"), Gen: m.count("gen"),
			Cut: m.count("cut"), Keep: m.keep("keep"),
		}
	case typeUser:
		record = chat.User{Name: m.text("name"), Since: m.time("since")}
	case typeDisplay:
		record = sqlitestore.Display{User: m.text("user"), Display: m.text("display")}
	case typeMember:
		record = chat.Member{
			Room: m.text("room"), User: m.text("user"), State: chat.MemberState(m.word("state", states)),
			InvitedBy: m.maybe("by"), Gen: m.count("gen"),
		}
	case typeRead:
		record = sqlitestore.ReadMarker{Room: m.text("room"), User: m.text("user"), Seq: m.number("seq")}
	case typeAccount:
		record = auth.Account{
			ID: m.text("id"), Handle: m.text("handle"), Subject: m.maybe("subject"),
			Owner: m.flag("owner"), Disabled: m.flag("disabled"), Since: m.time("since"),
		}
	case typeSession:
		record = auth.Session{
			Hash: m.hash("hash"), Account: m.text("account"), Device: m.anyText("device"),
			Made: m.time("made"), Used: m.time("used"), Until: m.time("until"),
		}
	case typeAudit:
		record = auth.Entry{
			ID: m.text("id"), At: m.time("at"), Actor: m.text("actor"), Action: m.text("action"),
			Object: m.anyText("object"),
		}
	case typeMessage:
		record = m.message()
	default:
		return nil, fmt.Errorf("type: %q is not known", m.kind)
	}
	return record, m.finish()
}

// message gives the message of a line; of a void there is nothing but the number.
func (m *members) message() chat.Message {
	r := chat.Message{Room: m.text("room"), Seq: m.number("seq")}
	if m.flag("void") {
		r.State, r.At = chat.Void, time.UnixMilli(0).UTC()
		return r
	}
	r.ID, r.From, r.At = m.text("id"), m.text("from"), m.time("at")
	if m.flag("deleted") {
		r.State = chat.Deleted
		return r
	}
	r.Text = m.text("text")
	return r
}
