package stack

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// readConfig completes the options by what samconfig.toml, or samconfig.yaml, says for sam deploy.
func readConfig(o *Options, p *problems) {
	for _, name := range []string{"samconfig.toml", "samconfig.yaml", "samconfig.yml"} {
		file := filepath.Join(o.Dir, name)
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		config, err := decodeConfig(name, data)
		if err != nil {
			p.list = append(p.list, Diagnostic{File: file, Severity: Error, Text: err.Error()})
			return
		}
		given := o.Parameters
		o.Parameters = map[string]string{}
		for _, command := range []string{"global", "deploy"} {
			parameters := config.get(cmp.Or(o.ConfigEnv, "default"), command, "parameters")
			maps.Copy(o.Parameters, overrides(parameters.get("parameter_overrides")))
			if name := parameters.get("stack_name").text; name != "" {
				o.StackName = cmp.Or(o.StackName, name)
			}
			if region := parameters.get("region").text; region != "" {
				o.Region = cmp.Or(o.Region, region)
			}
		}
		maps.Copy(o.Parameters, given)
		return
	}
}

// decodeConfig reads a configuration of sam.
func decodeConfig(name string, data []byte) (*value, error) {
	if filepath.Ext(name) != ".toml" {
		return parse(data)
	}
	var config map[string]any
	if err := toml.Unmarshal(data, &config); err != nil {
		return nil, err
	}
	return fromGo(config), nil
}

// fromGo makes a value of what a decoder gives.
func fromGo(v any) *value {
	switch v := v.(type) {
	case map[string]any:
		all := &value{kind: object}
		for name, member := range v {
			all.pairs = append(all.pairs, pair{&value{kind: text, text: name}, fromGo(member)})
		}
		return all
	case []any:
		all := &value{kind: list}
		for _, item := range v {
			all.items = append(all.items, fromGo(item))
		}
		return all
	case string:
		return &value{kind: text, text: v}
	case int64:
		return &value{kind: text, text: strconv.FormatInt(v, 10)}
	case bool:
		return &value{kind: text, text: strconv.FormatBool(v)}
	case float64:
		return &value{kind: text, text: strconv.FormatFloat(v, 'g', -1, 64)}
	}
	return &value{}
}

// override is one NAME=VALUE of parameter_overrides, in either of sam's forms.
var override = regexp.MustCompile(
	`(?:ParameterKey=)?([A-Za-z0-9]+)(?:,ParameterValue)?=("(?:\\.|[^"\\])*"|'[^']*'|[^\s"']\S*|)`)

// overrides reads parameter_overrides: a text, a list of texts or an object.
func overrides(v *value) map[string]string {
	all := v.dictionary()
	for _, line := range v.texts() {
		for _, m := range override.FindAllStringSubmatch(line, -1) {
			s := m[2]
			if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
				s = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : n-1])
			}
			all[m[1]] = s
		}
	}
	return all
}
