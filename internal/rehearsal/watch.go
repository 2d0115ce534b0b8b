package rehearsal

import (
	"cmp"
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
		now := look(r.sources())
		settled := maps.Equal(now, before)
		before = now
		if _, there := now[r.current().File]; !there {
			continue // a build is under way, whose template comes last
		}
		if settled && !maps.Equal(now, running) {
			running = now
			sources := r.sources()
			r.reload(ctx)
			if !slices.Equal(sources, r.sources()) {
				running = look(r.sources())
			}
			before = running
		}
	}
}

// load loads the stack; with Config.Await after each change of the project, until it can be run.
func (r *Runner) load(ctx context.Context) (*stack.Stack, []stack.Diagnostic, error) {
	var told []stack.Diagnostic
	for {
		before := look(r.project())
		loaded, diagnostics, err := stack.Load(r.cfg.Stack)
		if err == nil {
			return loaded, diagnostics, nil
		}
		again := told != nil && slices.Equal(told, diagnostics) // what is printed may be in the project
		if told = diagnostics; !again {
			r.tell(diagnostics)
		}
		if !r.cfg.Await || !errors.Is(err, stack.ErrTemplate) {
			return nil, nil, err
		}
		if !again {
			r.journal.Note("the template cannot be run: this waits for a change")
		}
		if err := r.change(ctx, before); err != nil {
			return nil, nil, err
		}
	}
}

// change waits until the project is no longer as it was before, and a change is whole.
func (r *Runner) change(ctx context.Context, before map[string]state) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for last := before; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		now := look(r.project())
		if maps.Equal(now, last) && !maps.Equal(now, before) {
			return nil
		}
		last = now
	}
}

// project are the folders that are looked at while there is no stack that knows its sources.
func (r *Runner) project() []string {
	dir := cmp.Or(r.cfg.Stack.Dir, filepath.Dir(r.cfg.Stack.Template)) // "." for ""
	return []string{dir, filepath.Join(dir, ".aws-sam", "build"), filepath.Dir(r.cfg.Stack.Template)}
}

// sources are the files and folders that a change of the stack would be in.
func (r *Runner) sources() []string {
	sources := slices.Clone(r.current().Sources)
	if r.cfg.EnvVars != "" {
		sources = append(sources, r.cfg.EnvVars)
	}
	return sources
}

// look takes the state of all files at the places.
func look(places []string) map[string]state {
	seen := map[string]state{}
	for _, source := range places {
		_ = filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil //nolint:nilerr // what is not there shows by that
			case len(seen) >= maxFiles:
				return fs.SkipAll
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
func (r *Runner) replace(ctx context.Context, loaded *stack.Stack) error {
	variables, err := readVariables(r.cfg.EnvVars)
	if err == nil && len(loaded.Tables) > 0 && r.engine == nil {
		err = errors.New("the template has a table now: start confab run again")
	}
	for _, a := range loaded.APIs {
		if err == nil {
			err = r.listen(a)
		}
	}
	if err != nil {
		return errors.Join(err, loaded.Close()) // nothing of it runs
	}
	before := r.swap(loaded)
	variables, r.variables = r.variables, variables
	if err := r.deploy(ctx, loaded); err != nil {
		r.swap(before)
		r.variables = variables
		return errors.Join(err, r.deploy(ctx, before))
	}
	r.serve()
	return nil
}

// maxOld is how many stacks are kept that were replaced: their functions may still be ending. Each
// may hold programs of megabytes.
const maxOld = 8

// swap makes another stack the current one. What it replaces is closed some versions later.
func (r *Runner) swap(s *stack.Stack) (before *stack.Stack) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.stack
	r.old = append(slices.DeleteFunc(r.old, func(o *stack.Stack) bool { return o == s }), before)
	r.stack = s
	if len(r.old) > maxOld {
		if err := r.old[0].Close(); err != nil {
			r.journal.Note(err.Error())
		}
		r.old = r.old[1:]
	}
	return before
}
