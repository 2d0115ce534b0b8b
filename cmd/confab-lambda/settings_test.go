package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// from gives an environment of these variables.
func from(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func with(base map[string]string, name, value string) map[string]string {
	all := map[string]string{name: value}
	for k, v := range base {
		if k != name {
			all[k] = v
		}
	}
	return all
}

var minimal = map[string]string{
	"AWS_REGION": "eu-west-1", "AWS_LAMBDA_FUNCTION_NAME": "chat", "AWS_ACCESS_KEY_ID": "key",
	"AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token",
	"CONFAB_TABLE":    "table",
	"CONFAB_ENDPOINT": "https://abc.execute-api.eu-west-1.amazonaws.com/production",
}

func TestReadSettings(t *testing.T) {
	s, err := readSettings(from(minimal))
	if err != nil {
		t.Fatal(err)
	}
	if s.heartbeat != 120*time.Second || s.maxReceivers != 5000 || !s.lobby {
		t.Errorf("defaults %v %d %v, want 2m 5000 true", s.heartbeat, s.maxReceivers, s.lobby)
	}
	s, err = readSettings(from(with(minimal, "CONFAB_ORIGINS", " https://a.example, https://b.example,")))
	if diff := cmp.Diff([]string{"https://a.example", "https://b.example"}, s.origins); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for name, value := range map[string]string{
		"CONFAB_ENDPOINT": "", "CONFAB_DIALECT": "klingon", "CONFAB_HEARTBEAT_SECONDS": "0",
		"CONFAB_MAX_RECEIVERS": "many", "CONFAB_LOBBY": "perhaps", "CONFAB_RATE": "-1", "CONFAB_BURST": "x",
	} {
		if _, err := readSettings(from(with(minimal, name, value))); err == nil ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: %v, want an error that names it", name, value, err)
		}
	}
}

func TestDomain(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://abc.execute-api.eu-west-1.amazonaws.com/production":     "amazonaws.com",
		"https://abc.execute-api.cn-north-1.amazonaws.com.cn/production": "amazonaws.com.cn",
		"https://chat.example/production":                                "amazonaws.com",
	} {
		if got := domain(endpoint); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
}
