package lambdahost

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// environment gives a process's variables: Lambda's (Developer Guide, "Defined runtime environment
// variables"), over them the host's, over them the function's.
func (f *deployed) environment(api, stream string) []string {
	region, key := f.host.config.Region, f.Credentials
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          api,
		"_HANDLER":                        f.Handler,
		"LAMBDA_TASK_ROOT":                f.task,
		"LAMBDA_RUNTIME_DIR":              filepath.Join(f.host.dir, "runtime"),
		"AWS_REGION":                      region,
		"AWS_DEFAULT_REGION":              region,
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     f.Version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_ACCESS_KEY_ID":               key.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":           key.SecretAccessKey,
		"AWS_SESSION_TOKEN":               key.SessionToken,
		"TZ":                              ":UTC",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            f.path(),
		// What Lambda has no need of: no SDK looks for this user's files or asks the network.
		"HOME":                      filepath.Join(f.host.dir, "home"),
		"AWS_EC2_METADATA_DISABLED": "true",
	}
	if runtime.GOOS == "windows" {
		env["USERPROFILE"] = env["HOME"]
		for _, name := range []string{"SystemRoot", "TEMP", "TMP"} { // no program runs without
			env[name] = os.Getenv(name)
		}
	} else {
		env["LD_LIBRARY_PATH"] = f.list(f.task, filepath.Join(f.task, "lib"), f.layer("lib"))
	}
	f.ofRuntime(env)
	maps.DeleteFunc(env, func(_, value string) bool { return value == "" })
	maps.Copy(env, f.host.config.Env)
	maps.Copy(env, f.Env)
	f.relocate(env)
	all := make([]string, 0, len(env))
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	return all
}

// relocate makes lists of folders that a function has set for itself name what is here in the place
// of Lambda's folders.
func (f *deployed) relocate(env map[string]string) {
	if runtime.GOOS == "windows" { // whose lists are others
		return
	}
	here := map[string]string{"opt": f.opt, "var/task": f.task}
	for _, name := range []string{"NODE_PATH", "PYTHONPATH", "PATH", "LD_LIBRARY_PATH"} {
		if f.Env[name] == "" {
			continue
		}
		folders := filepath.SplitList(f.Env[name])
		for i, folder := range folders {
			for there, dir := range here {
				if rest, ok := strings.CutPrefix(folder, "/"+there); ok && dir != "" &&
					(rest == "" || rest[0] == '/') {
					folders[i] = dir + rest
				}
			}
		}
		env[name] = f.list(folders...)
	}
}

// ofRuntime adds what Lambda's runtimes have besides. Those without a language have nothing.
func (f *deployed) ofRuntime(env map[string]string) {
	language, version := splitRuntime(f.Runtime)
	if language != provided {
		env["AWS_EXECUTION_ENV"] = "AWS_Lambda_" + f.Runtime
	}
	switch language {
	case nodejs:
		major, _, _ := strings.Cut(version, ".")
		env["NODE_PATH"] = f.list(append([]string{
			f.layer("nodejs/node" + major + "/node_modules"), f.layer("nodejs/node_modules"),
		}, f.host.config.NodePath...)...)
	case python:
		env["PYTHONPATH"] = f.list(append([]string{
			f.layer("python/lib/python" + version + "/site-packages"), f.layer("python"),
		}, f.host.config.PythonPath...)...)
	}
}

// path gives the folders of programs: those of the language's, the system's, the layers'.
func (f *deployed) path() string {
	folders := []string{}
	if language, _ := splitRuntime(f.Runtime); language != provided {
		folders = append(folders, filepath.Dir(f.argv[0]))
	}
	if runtime.GOOS == "windows" {
		folders = append(folders, filepath.Join(os.Getenv("SystemRoot"), "System32"))
	} else {
		folders = append(folders, "/usr/local/bin", "/usr/bin", "/bin")
	}
	return f.list(append(folders, f.layer("bin"))...)
}

// layer gives a folder of the layers, on AWS below /opt; "" without layers.
func (f *deployed) layer(name string) string {
	if f.opt == "" {
		return ""
	}
	return filepath.Join(f.opt, filepath.FromSlash(name))
}

// list joins folders as the system does, without empty ones.
func (*deployed) list(folders ...string) string {
	var all []string
	for _, folder := range folders {
		if folder != "" {
			all = append(all, folder)
		}
	}
	return strings.Join(all, string(os.PathListSeparator))
}
