package sqlitestore_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/confab-chat/confab/chat"
	"github.com/confab-chat/confab/store/sqlitestore"
)

// version1 makes a folder with the data that the first version wrote.
func version1(tb testing.TB) (dir, file string) {
	tb.Helper()
	dir = tb.TempDir()
	file = filepath.Join(dir, "confab.db")
	data, err := os.ReadFile(filepath.Join("testdata", "v1.db"))
	ok(tb, err)
	ok(tb, os.WriteFile(file, data, 0o600))
	return dir, file
}

// TestReadAll_v1 reads the data of the first version without an upgrade.
func TestReadAll_v1(t *testing.T) {
	dir, _ := version1(t)
	kinds := map[string]int{}
	ok(t, sqlitestore.ReadAll(t.Context(), dir, sqlitestore.ReadOptions{Sessions: true},
		func(record sqlitestore.Record) error {
			kinds[fmt.Sprintf("%T", record)]++
			return nil
		}))
	want := map[string]int{
		"chat.Head": 4, "chat.User": 2, "chat.Member": 7, "sqlitestore.ReadMarker": 2, "auth.Account": 2,
		"auth.Session": 2, "auth.Entry": 2, "chat.Message": 5,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestOpen_upgrade(t *testing.T) {
	t.Run("keeps a copy that can be restored", func(t *testing.T) {
		dir, file := version1(t)
		ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
		s := open(t, dir, sqlitestore.Options{})
		send(t, s, chat.Lobby, "ann", "new", "after the upgrade")
		ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
		ok(t, sqlitestore.Check(t.Context(), file+".v1", func(line string) { t.Error(line) }))
		wantMode(t, file+".v1", 0o600)
		fresh := filepath.Join(t.TempDir(), "restored")
		ok(t, sqlitestore.Restore(t.Context(), file+".v1", fresh))
		restored := open(t, fresh, sqlitestore.Options{})
		page, err := restored.Messages(t.Context(), "tea", chat.Range{Limit: 9})
		ok(t, err)
		if len(page.Messages) != 3 || page.Messages[2].Text != "\"quoted\"\n\\" {
			t.Errorf("restored: got %+v", page.Messages)
		}
		entries, err := os.ReadDir(fresh)
		ok(t, err)
		for _, e := range entries {
			if strings.Contains(e.Name(), ".v1") {
				t.Errorf("the restored folder has a copy too: %s", e.Name())
			}
		}
	})
	t.Run("happens once, and the copy is named at each start", func(t *testing.T) {
		dir, file := version1(t)
		ok(t, open(t, dir, sqlitestore.Options{}).Close())
		before, err := os.ReadFile(file + ".v1")
		ok(t, err)
		var logged bytes.Buffer
		s := open(t, dir, sqlitestore.Options{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		ok(t, s.Close())
		after, err := os.ReadFile(file + ".v1")
		ok(t, err)
		if !bytes.Equal(before, after) {
			t.Error("the copy was made again")
		}
		if !strings.Contains(logged.String(), "confab.db.v1") || strings.Contains(logged.String(), "upgraded") {
			t.Errorf("the log of the second start: %s", &logged)
		}
	})
	t.Run("leaves damaged data as they are", func(t *testing.T) {
		dir, file := version1(t)
		data, err := os.ReadFile(file)
		ok(t, err)
		overwrite(t, file, bytes.Index(data, []byte("hello, lobby")), []byte("J"))
		data, err = os.ReadFile(file)
		ok(t, err)
		_, err = sqlitestore.Open(dir, sqlitestore.Options{})
		wantKind(t, err, chat.Corrupt)
		if !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), ".part is damaged") {
			t.Errorf("error %q does not name %s", err, file)
		}
		after, err := os.ReadFile(file)
		ok(t, err)
		if !bytes.Equal(data, after) {
			t.Error("the file was changed")
		}
		if left, err := filepath.Glob(file + ".v1*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
	t.Run("is all or nothing", func(t *testing.T) {
		for step := range 2 {
			dir, file := version1(t)
			restore := sqlitestore.BreakMigration(step)
			_, err := sqlitestore.Open(dir, sqlitestore.Options{})
			restore()
			if err == nil {
				t.Fatalf("step %d: no error of a migration that fails", step)
			}
			if got := count(t, file, "pragma_user_version WHERE user_version = 1"); got != 1 {
				t.Errorf("step %d: the version was raised", step)
			}
			ok(t, sqlitestore.Check(t.Context(), dir, func(line string) { t.Error(line) }))
			send(t, open(t, dir, sqlitestore.Options{}), "tea", "ann", "new", "x")
		}
	})
}
