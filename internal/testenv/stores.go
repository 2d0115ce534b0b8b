package testenv

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/internal/dynamolocal"
	"github.com/confab-chat/confab/store/dynamostore"
	"github.com/confab-chat/confab/store/memstore"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// backend opens the stores of a system: anew for each handler where the store can be shared by
// processes.
type backend struct {
	open func() (chat.Log, chat.Connections)
}

// Leases of the cold host, as on AWS.
const (
	lease       = 250 * time.Second
	silentLease = 2 * time.Hour
)

func openStore(tb testing.TB, e *Env, o Options) backend {
	tb.Helper()
	mem := memstore.Options{Now: o.Now, Rate: o.Rate, Burst: o.Burst}
	if e.Host == "cold" {
		mem.Lease, mem.SilentLease = lease, silentLease
	}
	var open func() (chat.Log, chat.Connections)
	switch e.Store {
	case "memstore":
		log, conns := memstore.NewLog(mem), memstore.NewConnections(mem)
		open = func() (chat.Log, chat.Connections) { return log, conns }
	case "sqlitestore":
		folder := filepath.Join(tb.TempDir(), "data")
		log, err := sqlitestore.Open(folder, sqlitestore.Options{Now: o.Now, Logger: o.logger()})
		if err != nil {
			tb.Fatal(err)
		}
		e.stop = append(e.stop, func() {
			if err := log.Close(); err != nil {
				tb.Errorf("close the store: %v", err)
			}
		})
		conns := memstore.NewConnections(mem)
		open = func() (chat.Log, chat.Connections) { return log, conns }
	case "dynamostore":
		client := dynamolocal.Client(dynamolocal.Start(tb))
		table := dynamolocal.Table(tb, client)
		open = func() (chat.Log, chat.Connections) {
			s := dynamostore.New(client, dynamostore.Options{
				Table: table, Now: o.Now, Rate: o.Rate, Burst: o.Burst,
				Lease: lease, SilentLease: silentLease, Budget: patience,
			})
			return s, s
		}
	default:
		tb.Fatalf("no store %q", e.Store)
	}
	b := backend{open: func() (chat.Log, chat.Connections) { return wrap(o, open) }}
	e.Log, e.Connections = b.open()
	return b
}

func wrap(o Options, open func() (chat.Log, chat.Connections)) (chat.Log, chat.Connections) {
	log, conns := open()
	if o.WrapLog != nil {
		log = o.WrapLog(log)
	}
	if o.WrapConnections != nil {
		conns = o.WrapConnections(conns)
	}
	return log, conns
}
