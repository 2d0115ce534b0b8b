// Package lambdahost is AWS Lambda on this machine: functions run in processes of their own
// behind the real Runtime API, and are invoked by a Go call or through Lambda's Invoke API.
//
//	h, err := lambdahost.New(lambdahost.Config{
//		Log: func(r lambdahost.Record) { log.Print(r.Text) },
//	})
//	defer h.Close()
//	err = h.Deploy(lambdahost.Function{
//		Name: "hello", Runtime: "nodejs22.x", Handler: "index.handler", Code: "./hello",
//	})
//	out, err := h.Invoke(ctx, lambdahost.Input{Function: "hello", Payload: []byte(`{}`)})
//	http.ListenAndServe("127.0.0.1:9001", h) // for SDKs: AWS_ENDPOINT_URL_LAMBDA
//
// # Runtimes
//
// provided.al2023 and provided.al2 run the executable bootstrap of the code, else of the layers,
// built for this system. nodejs18.x to 24.x and python3.9 to 3.14 run on the node and the
// python3 of this machine, whatever their version, through a small shim each, which behaves as
// the runtime of that version: handlers by callback until nodejs22.x, errors, logs, context, how
// modules are found. The Python shim is compared with Amazon's own client in the tests. There is
// no response streaming.
//
// # Processes
//
// A process handles one event at a time, and is used again, the one used last first. What is
// idle is bounded in number and age. An event that finds none starts one; while many start, it
// may be handled by one that becomes free. Processes are started in groups of their own (on
// Windows in jobs), and a time-out, a fault and Close end the whole group. They end with this
// program too: on Linux the system kills them, Windows ends their job, and elsewhere shims end
// when their standard input does, and other programs when they ask for the next event. A process
// that leaves its group by setsid is out of reach.
//
// With Config.Freeze a process is stopped between events (SIGSTOP, not on Windows), which shows
// work that a handler has left behind.
//
// # What a function sees
//
// The variables that Lambda sets, over them those of Config.Env, over them its own; nothing of
// this program's. HOME is an empty folder, and AWS_EC2_METADATA_DISABLED is set, so that no SDK
// finds the user's credentials. There is no other file system and no other user: /tmp is this
// machine's, LAMBDA_TASK_ROOT is where the code is, read and written with this program's rights.
// Layers are not at /opt but in a folder that NODE_PATH, PYTHONPATH, PATH and LD_LIBRARY_PATH
// name; where a function sets these itself, /opt and /var/task in them mean those folders.
// Functions are no sandbox: run code that you trust.
//
// # What differs from AWS
//
//   - Memory is told to a function and reported (on Linux), and not enforced.
//   - A function that fails to initialize is not initialized a second time for the same event; one
//     that takes more than 10 s is.
//   - Invoke returns when the process asks for the next event, shortly after its answer.
//   - Events that nobody waits for are kept in memory, at most 10,000; there are no destinations
//     and dead-letter queues, and no duplicates. What is given up is said in the log.
//   - 100 events may be under way unless the configuration says otherwise.
//   - The Invoke API checks no signature. It and the Runtime API refuse requests of browsers.
//   - Of the Extensions API there is what a function needs to get SIGTERM before its end. Layers'
//     extensions and wrapper scripts (AWS_LAMBDA_EXEC_WRAPPER) are not run.
//   - Log lines are lines: Lambda's runtimes write a text of several lines as one event.
package lambdahost
