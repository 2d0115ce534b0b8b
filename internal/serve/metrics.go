package serve

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/confab-chat/confab/gateway"
)

// statsCollector shows the gateway's counters to Prometheus.
type statsCollector struct {
	stats                          func() gateway.Stats
	open, total, messages, bytes   *prometheus.Desc
	writes                         *prometheus.Desc
	dropped, refused, closed, code *prometheus.Desc
	errors                         *prometheus.Desc
}

func newStatsCollector(stats func() gateway.Stats) *statsCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("confab_"+name, help, labels, nil)
	}
	return &statsCollector{
		stats:    stats,
		open:     desc("connections", "Open connections."),
		total:    desc("connections_total", "Connections since the start."),
		messages: desc("messages_total", "Messages, by direction.", "direction"),
		bytes:    desc("bytes_total", "Bytes of sockets, by direction.", "direction"),
		writes:   desc("writes_total", "Writes to sockets."),
		dropped:  desc("messages_dropped_total", "Messages dropped for slow readers, by cause.", "cause"),
		refused:  desc("handshakes_refused_total", "Refused handshakes, by cause.", "cause"),
		closed:   desc("connections_closed_total", "Closed connections, by cause.", "cause"),
		code:     desc("close_codes_total", "Closed connections, by close code.", "code"),
		errors:   desc("handler_errors_total", "Errors of handlers."),
	}
}

// Describe sends what Collect may send.
func (c *statsCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.open, c.total, c.messages, c.bytes, c.writes, c.dropped, c.refused, c.closed, c.code, c.errors,
	} {
		out <- d
	}
}

// Collect sends the counters as they are now.
func (c *statsCollector) Collect(out chan<- prometheus.Metric) {
	s := c.stats()
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	out <- prometheus.MustNewConstMetric(c.open, prometheus.GaugeValue, float64(s.Open))
	count(c.total, s.Total)
	count(c.messages, s.MessagesIn, "in")
	count(c.messages, s.MessagesOut, "out")
	count(c.bytes, s.BytesIn, "in")
	count(c.bytes, s.BytesOut, "out")
	count(c.writes, s.Writes)
	count(c.errors, s.HandlerErrors)
	for cause, n := range s.Dropped {
		count(c.dropped, n, string(cause))
	}
	for cause, n := range s.Refused {
		count(c.refused, n, string(cause))
	}
	for cause, n := range s.Closed {
		count(c.closed, n, string(cause))
	}
	for code, n := range s.ClosedByCode {
		count(c.code, n, strconv.Itoa(code))
	}
}
