package chat

import "time"

// Limits of the domain. Those that a client can meet are in docs/protocol.md too.
const (
	MaxText         = 16384             // bytes of a message's text
	MaxName         = 64                // bytes of a name or room name, in NFC
	MaxID           = 64                // bytes of a message id
	MaxRooms        = 200               // rooms a user has joined, direct rooms not counted
	MaxConnections  = 20                // live connections of a user
	MaxListed       = 400               // rooms in one welcome or pong: a frame of at most 128 KiB
	MaxHeads        = 100               // rooms in one call of Log.Heads
	DefaultPage     = 50                // messages or rows of a page when the client names no limit
	MaxPage         = 200               // messages or rows of a page
	MaxPageBytes    = 96 << 10          // of a page of messages, as encoded JSON
	PresenceMax     = 200               // connections of a room up to which presence is announced
	DedupWindow     = 24 * time.Hour    // how long a message id is remembered
	MinKeep         = DedupWindow       // shortest retention: a repetition finds the first message
	TombstoneTTL    = 3 * time.Hour     // how long a closed connection id stays closed
	SubscriptionTTL = 125 * time.Minute // API Gateway's limit is 2 h
	SettleAfter     = 3 * time.Second   // after that an unstored number is made a void
	TypingEvery     = 5 * time.Second   // at most one typing event of a user in this time
	TurnMax         = 4 * time.Second   // how long who hands messages over keeps others from it
	ResumeMax       = 1000              // missed messages of a room that a resume sends by itself
)

// KeepForever as a room's retention keeps messages whatever the host's default is.
const KeepForever = time.Duration(-1)

// Lobby is the id and the name of the room in which everyone is.
const Lobby = "lobby"
