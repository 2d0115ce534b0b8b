package main

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checksText is the checklist: sections, and in them checks with the classes of their evidence.
//
//go:embed checks.txt
var checksText string

// check is one behaviour of API Gateway or Lambda.
type check struct {
	section string
	number  int
	classes string // letters of evidence
	text    string
	tests   []string // that show it, as gateway.TestGW01_NoConnectRouteAdmits
}

var checkLine = regexp.MustCompile(`^GW-(\d+) \[([ADIXEMK](?:/[ADIXEMK])*)\] (.+)$`)

// parseChecks reads the checklist.
func parseChecks(text string) ([]*check, error) {
	var checks []*check
	section, known := "", map[int]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(line, "# "); ok {
			section = title
			continue
		}
		if line == "" {
			continue
		}
		m := checkLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("checks.txt: %q is no check", line)
		}
		number, err := strconv.Atoi(m[1])
		if err != nil || known[number] {
			return nil, fmt.Errorf("checks.txt: GW-%s is twice there", m[1])
		}
		known[number] = true
		checks = append(checks, &check{section: section, number: number, classes: m[2], text: m[3]})
	}
	return checks, nil
}

// name is the check's name, as GW-07.
func (c *check) name() string { return fmt.Sprintf("GW-%02d", c.number) }

// has tells whether the evidence is of one of the classes.
func (c *check) has(classes string) bool { return strings.ContainsAny(c.classes, classes) }

var numbers = regexp.MustCompile(`GW(\d+)`)

// match gives each check its tests. The error lists the checks without one, the numbers in names
// that no check has, and the tests that did not pass.
func match(checks []*check, tests map[string]string) error {
	byNumber := map[int]*check{}
	for _, c := range checks {
		byNumber[c.number] = c
	}
	var problems []error
	for _, test := range slices.Sorted(maps.Keys(tests)) {
		_, last, _ := cutLast(test, "/")
		for _, m := range numbers.FindAllStringSubmatch(last, -1) {
			number, _ := strconv.Atoi(m[1])
			switch c := byNumber[number]; {
			case c == nil:
				problems = append(problems, fmt.Errorf("%s: there is no GW-%s", test, m[1]))
			case tests[test] == "pass":
				c.tests = append(c.tests, test)
			case tests[test] == "skip":
				problems = append(problems, fmt.Errorf("%s was skipped: run `make tools`", test))
			default:
				problems = append(problems, fmt.Errorf("%s: %s", test, tests[test]))
			}
		}
	}
	for _, c := range checks {
		if len(c.tests) == 0 {
			problems = append(problems, fmt.Errorf("%s has no test that passes", c.name()))
		}
	}
	return errors.Join(problems...)
}

// cutLast cuts s around the last separator; without one all is after it.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return "", s, false
}
