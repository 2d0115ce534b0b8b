package serve

import (
	"context"
	"net/http"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/signin"
)

// expireEvery is how often rooms are looked through for messages that are not kept any more: they
// go at most so long after their time.
const expireEvery = 15 * time.Minute

// expire removes what rooms do not keep, at once, from time to time, and when a room was changed.
func (s *Server) expire(ctx context.Context, log chat.Retainer) {
	ticker := time.NewTicker(expireEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		removed, err := chat.Expire(ctx, log, s.config.Now(), s.config.Retention)
		s.config.Metrics.expired.Add(float64(removed))
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.config.Logger.ErrorContext(ctx, "failed", "op", "expire", "error", err)
		case removed > 0:
			s.config.Logger.InfoContext(ctx, "messages are past their time and gone", "messages", removed)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-s.kept:
		}
	}
}

// KeptRoom is what a room keeps, for the operator.
type KeptRoom struct {
	Room     string `json:"room"`
	Name     string `json:"name"`
	FirstSeq uint64 `json:"firstSeq"` // the first number that is kept, or will be given
	Seq      uint64 `json:"seq"`      // the last number
	// KeepSeconds is how long messages are kept: 0 as DefaultSeconds says, negative for ever.
	KeepSeconds    int64 `json:"keepSeconds"`
	DefaultSeconds int64 `json:"defaultSeconds"` // of the server, 0: for ever
}

// KeptRooms is a page of them, ascending by id.
type KeptRooms struct {
	Rooms []KeptRoom `json:"rooms"`
	More  bool       `json:"more"`
}

func (s *Server) keptRoom(h *chat.Head) KeptRoom {
	room := KeptRoom{
		Room: h.Room, Name: h.Name, FirstSeq: h.Cut + 1, Seq: h.Seq,
		KeepSeconds:    int64(h.Keep / time.Second),
		DefaultSeconds: int64(s.config.Retention / time.Second),
	}
	if h.Keep < 0 {
		room.KeepSeconds = -1
	}
	return room
}

// listKept answers GET /rooms?after=ROOM.
func (s *Server) listKept(w http.ResponseWriter, r *http.Request) {
	page := KeptRooms{Rooms: []KeptRoom{}}
	log, err := s.retainer()
	if err == nil {
		var kept []chat.Kept
		kept, page.More, err = log.AllKept(r.Context(), r.URL.Query().Get("after"), chat.MaxHeads)
		for i := 0; i < len(kept) && err == nil; i++ {
			var heads []chat.Head
			heads, err = log.Heads(r.Context(), []string{kept[i].Room})
			if len(heads) > 0 {
				page.Rooms = append(page.Rooms, s.keptRoom(&heads[0]))
			}
		}
	}
	signin.Reply(w, r, s.config.Logger, page, err)
}

// keep answers POST /rooms, which sets how long a room keeps its messages.
func (s *Server) keep(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Room        string `json:"room"`
		KeepSeconds int64  `json:"keepSeconds"`
	}
	var head chat.Head
	err := signin.Read(r, &q)
	if err == nil {
		head, err = s.setKeep(r.Context(), q.Room, q.KeepSeconds)
	}
	signin.Reply(w, r, s.config.Logger, s.keptRoom(&head), err)
}

func (s *Server) setKeep(ctx context.Context, name string, seconds int64) (chat.Head, error) {
	log, err := s.retainer()
	if err != nil {
		return chat.Head{}, err
	}
	room, err := chat.RoomID(name)
	if err != nil {
		return chat.Head{}, err
	}
	const most = 1 << 32 // seconds, 136 years: what is more is for ever
	keep := chat.KeepForever
	if seconds >= 0 && seconds <= most {
		keep = time.Duration(seconds) * time.Second
	}
	head, err := log.Keep(ctx, room, keep)
	if chat.Is(err, chat.NotFound) {
		err = chat.E(chat.NotFound, "no room %s", name)
	}
	if err != nil {
		return head, err
	}
	select {
	case s.kept <- struct{}{}:
	default: // it is about to look anyway
	}
	if s.desk != nil {
		err = s.desk.Note(ctx, nil, "retention", room)
	}
	return head, err
}

// retainer is the log, where it can let go of old messages.
func (s *Server) retainer() (chat.Retainer, error) {
	log, ok := s.config.Log.(chat.Retainer)
	if !ok {
		return nil, chat.E(chat.NotFound, "the store of this server keeps everything")
	}
	return log, nil
}
