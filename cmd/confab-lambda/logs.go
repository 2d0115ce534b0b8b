package main

import (
	"context"
	"log/slog"
	"time"
)

// logs adds the id of the invocation to each line. Its name is not requestId: that is API Gateway's id
// of the event, which clients are told with an error, and no key may come twice in an object.
type logs struct{ slog.Handler }

// Handle implements slog.Handler.
func (l logs) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r.AddAttrs(slog.String("invocation", id))
	}
	return l.Handler.Handle(ctx, r)
}

// leftOut counts a room with more connections than a message is posted to: a line that CloudWatch
// makes a metric of (CloudWatch User Guide, "Embedded metric format specification"). The room's name
// stays out of the log.
func (f *function) leftOut(name string) {
	const metric, dimension = "ReceiversLeftOut", "FunctionName"
	f.logger.Warn("a room has more connections than a message is posted to",
		metric, 1, dimension, name,
		"_aws", map[string]any{
			"Timestamp": time.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace": "Confab", "Dimensions": [][]string{{dimension}},
				"Metrics": []any{map[string]any{"Name": metric, "Unit": "Count"}},
			}},
		})
}
