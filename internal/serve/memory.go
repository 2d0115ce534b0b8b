package serve

import "runtime/debug"

// rush tells when many connections have come and no more do. Their handshakes leave garbage behind,
// which the runtime would keep for the next ones: it is most of what an idle connection then costs.
type rush struct {
	seen uint64 // connections since the start, at the last look
	back uint64 // the same when memory was last given back
}

const (
	manyConnections = 1000 // come since memory was last given back
	calm            = 50   // come since the last look, once a sweep, and the rush is over
)

// over tells whether a rush has just ended.
func (r *rush) over(total uint64) bool {
	ended := total-r.back >= manyConnections && total-r.seen < calm
	r.seen = total
	if ended {
		r.back = total
	}
	return ended
}

// tidy gives memory back to the system after a rush.
func (s *Server) tidy(r *rush) {
	if r.over(s.api.Stats().Total) {
		debug.FreeOSMemory()
	}
}
