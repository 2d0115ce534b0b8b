package gateway

// meterStep is how many bytes of a message are billed as one (Amazon API Gateway pricing,
// WebSocket APIs).
const meterStep = 32 << 10

// Metered is what AWS would have counted since New.
type Metered struct {
	// Messages are billed: for each message from or to a client, of a route response or an error
	// frame too, one for every 32 KB that it has begun, and at least one. Pings, pongs, close
	// frames, $connect, $disconnect and messages that a throttle has refused are not billed.
	Messages uint64
	// ConnectionMinutes are billed: the sum of the times that connections have been open.
	ConnectionMinutes float64
	// MessageCount is CloudWatch's metric of that name: messages either way, whatever their size,
	// and one for each call of $connect and $disconnect.
	MessageCount uint64
	// ConnectCount is CloudWatch's metric of that name: calls of $connect.
	ConnectCount uint64
}

// metered gives the counters. stats.mu is held. stats.extra is what messages are billed as beyond
// one each.
func (a *API) metered() Metered {
	s := a.stats
	a.mu.RLock()
	defer a.mu.RUnlock()
	open := int64(len(a.conns))*a.cfg.Now().UnixMilli() - a.sinces
	messages := s.messagesIn.Load() + s.messagesOut.Load()
	return Metered{
		Messages:          messages - s.dropped[CauseThrottle] + s.extra.Load(),
		ConnectionMinutes: float64(a.connected+open) / 60_000,
		MessageCount:      messages + s.connects.Load() + s.disconnects.Load(),
		ConnectCount:      s.connects.Load(),
	}
}

// meter counts what a message from a client is billed as beyond one.
func (s *stats) meter(body string) {
	if len(body) > meterStep {
		s.extra.Add(uint64((len(body) - 1) / meterStep))
	}
}
