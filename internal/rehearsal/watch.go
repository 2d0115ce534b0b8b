package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/confab-chat/confab/stack"
)

// Times of Watch: how often files are looked at, and how long nothing may change until a change is
// taken to be whole.
const (
	lookEvery = 300 * time.Millisecond
	maxFiles  = 20_000 // that are looked at
)

// unwatched are folders whose changes are none of the stack's.
var unwatched = []string{".git", "node_modules", "__pycache__", ".aws-sam", ".venv", "venv"}

// state is what a file looks like from outside.
type state struct {
	size     int64
	modified time.Time
}

// Watch loads the stack anew whenever its template or its code changes, until ctx ends. Connections
// stay open. A template with errors changes nothing.
func (r *Runner) Watch(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	running := r.loaded
	before := running
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := r.look()
		settled := maps.Equal(now, before)
		before = now
		if settled && !maps.Equal(now, running) {
			running = now
			sources := r.sources()
			r.reload(ctx)
			if !slices.Equal(sources, r.sources()) {
				running = r.look()
			}
			before = running
		}
	}
}

// sources are the files and folders that a change of the stack would be in.
func (r *Runner) sources() []string {
	sources := slices.Clone(r.current().Sources)
	if r.cfg.EnvVars != "" {
		sources = append(sources, r.cfg.EnvVars)
	}
	return sources
}

// look takes the state of all files of the stack.
func (r *Runner) look() map[string]state {
	seen := map[string]state{}
	for _, source := range r.sources() {
		_ = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || len(seen) >= maxFiles:
				return nil //nolint:nilerr // what is not there shows by that
			case d.IsDir() && path != source && slices.Contains(unwatched, d.Name()):
				return fs.SkipDir
			case d.IsDir():
				return nil
			}
			if info, err := d.Info(); err == nil {
				seen[path] = state{info.Size(), info.ModTime()}
			}
			return nil
		}) // what cannot be read is not watched
	}
	return seen
}

// reload puts what is in the files now in place of what runs.
func (r *Runner) reload(ctx context.Context) {
	begin := time.Now()
	loaded, diagnostics, err := stack.Load(r.cfg.Stack)
	if err == nil {
		err = r.replace(ctx, loaded)
	}
	r.tell(diagnostics)
	if err != nil {
		r.journal.Note(fmt.Sprintf("not reloaded, the last version runs on: %v", err))
		return
	}
	r.journal.Note("reloaded in " + shortly(time.Since(begin)))
}

// replace deploys another version of the stack.
func (r *Runner) replace(ctx context.Context, loaded *stack.Stack) (err error) {
	if r.variables, err = readVariables(r.cfg.EnvVars); err != nil {
		return err
	}
	if len(loaded.Tables) > 0 && r.engine == nil {
		return errors.New("the template has a table now: start confab run again")
	}
	for _, a := range loaded.APIs {
		if err := r.listen(a); err != nil {
			return err
		}
	}
	before := r.swap(loaded)
	if err := r.deploy(ctx, loaded); err != nil {
		r.swap(before)
		return errors.Join(err, r.deploy(ctx, before))
	}
	r.serve()
	return nil
}

// swap makes another stack the current one. What it replaces is closed with the runner: its
// functions may still be ending.
func (r *Runner) swap(s *stack.Stack) (before *stack.Stack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.stack
	r.old = append(slices.DeleteFunc(r.old, func(o *stack.Stack) bool { return o == s }), before)
	r.stack = s
	return before
}
