package lambdahost

import (
	"slices"
	"strings"
)

// disabled are features of Node.js that Lambda turns off in the versions of its runtime, unless
// NODE_OPTIONS turns them on (Developer Guide, "Building Lambda functions with Node.js"). Version
// 18 has neither of them.
var disabled = map[string][]string{
	"18": {"require-module", "detect-module"},
	"20": {"require-module"},
	"22": {"require-module", "detect-module"},
}

// nodeFlags gives the flags that make the machine's Node.js load modules as a runtime's does. Flags
// that it does not know, which it would refuse to start with, are of features that it has not.
func (f *deployed) nodeFlags(known []string, version string) []string {
	options := f.host.config.Env["NODE_OPTIONS"] + " " + f.Env["NODE_OPTIONS"]
	var flags []string
	for _, feature := range disabled[version] {
		flag := "--no-experimental-" + feature
		if !strings.Contains(options, "--experimental-"+feature) && slices.Contains(known, flag) {
			flags = append(flags, flag)
		}
	}
	return flags
}
