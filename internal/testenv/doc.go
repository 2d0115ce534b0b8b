// Package testenv runs the whole system in one call, on any host, for end-to-end tests.
//
// The host direct is the laptop: internal/serve behind a real listener. The host cold behaves as
// AWS does, without Lambda: a new handler for each event, events as JSON, eight at once, one in
// twenty delivered twice, posts through signed @connections calls over HTTP.
//
// A test that runs on every combination of [Each] may get a frame twice; [Client] drops repeats of
// messages by (room, seq) as every client must.
package testenv
