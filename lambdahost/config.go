package lambdahost

import (
	"cmp"
	"runtime"
	"time"
)

// Limits of Lambda (Developer Guide, "Lambda quotas").
const (
	MaxPayload      = 6 << 20 // bytes of an event, and of an answer
	MaxAsyncPayload = 1 << 20 // bytes of an event that nobody waits for
	MaxTimeout      = 15 * time.Minute
	InitTimeout     = 10 * time.Second // of the first initialization
	maxAnswer       = MaxPayload + 100 // bytes that the Runtime API lets pass
	maxEnv          = 4 << 10          // bytes of a function's own variables
	maxMemoryMB     = 10240
	minMemoryMB     = 128
	defaultTimeout  = 3 * time.Second
)

// Bounds that are this package's own.
const (
	maxIdle       = 16               // processes of a function that wait for events
	idleFor       = 10 * time.Minute // how long they wait
	concurrency   = 100              // events under way at once
	maxQueue      = 10_000           // events that nobody waits for, and their retries
	maxLine       = 256 << 10        // bytes of a line of output (CloudWatch Logs quotas)
	startPatience = time.Second      // how long an event waits for others to start
)

// Config is what a host is made of. All of it may be left out.
type Config struct {
	Region  string // default "us-east-1"
	Account string // default "000000000000"

	// Env is in the environment of every process. It wins over what Lambda sets, and a function's
	// own variables win over it. Nothing of this program's environment gets there by itself.
	Env map[string]string
	// Node and Python run the functions of these runtimes; default "node" and "python3", found in
	// PATH when a function is deployed.
	Node, Python string
	// NodePath are folders of packages, and PythonPath of modules, that the runtimes have besides a
	// function's own and its layers', as Lambda's have the AWS SDK.
	NodePath, PythonPath []string

	// Freeze stops a process between events, as Lambda does, where the system can: not on Windows.
	Freeze bool
	// Concurrency is how many events may be under way at once; default 100 (on AWS 1,000).
	Concurrency int
	// MaxIdle is how many processes of a function wait for events, and IdleFor how long; default 16
	// and 10 minutes.
	MaxIdle int
	IdleFor time.Duration

	// Log is called for each line that a function or this package writes to the function's log,
	// from several goroutines, in order for each process. While it does not return the process
	// waits that wrote the line.
	Log func(Record)
	// Clock gives the time; default the system's.
	Clock Clock
}

// Clock gives the time and calls when it has come.
type Clock interface {
	// Now is the present.
	Now() time.Time
	// AfterFunc calls f in a goroutine of its own when d is over, unless stop is called before.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the clock of the system.
type systemClock struct{}

var _ Clock = systemClock{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.Account = cmp.Or(c.Account, "000000000000")
	c.Node = cmp.Or(c.Node, "node")
	c.Python = cmp.Or(c.Python, "python3")
	c.Concurrency = cmp.Or(c.Concurrency, concurrency)
	c.MaxIdle = cmp.Or(c.MaxIdle, maxIdle)
	c.IdleFor = cmp.Or(c.IdleFor, idleFor)
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	return c
}

// maxStarts is how many processes may be initializing at once: more only slow each other down.
func maxStarts() int { return max(4, 2*runtime.NumCPU()) }
