package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// What the page says besides the checks.
var (
	//go:embed introduction.md
	introduction string
	//go:embed unverified.md
	unverifiedText string
	//go:embed contradictions.md
	contradictionsText string
)

// unverified are the checks that are most worth a look at a real account: the probe's.
var unverified = []int{9, 32, 42, 50, 57, 60, 61, 62}

// page writes the whole page.
func page(checks []*check) string {
	var b strings.Builder
	fmt.Fprintf(&b, introduction, len(checks))
	section := ""
	for _, c := range checks {
		if c.section != section {
			section = c.section
			fmt.Fprintf(&b, "\n## %s\n\n", section)
			b.WriteString("| check | behaviour | evidence | verdict | shown by |\n|---|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | passes | %s |\n",
			c.name(), cell(c.text), c.classes, c.shown())
	}
	b.WriteString("\n## Never verified on a real account\n\n" + strings.TrimSpace(unverifiedText))
	b.WriteString("\n\n| check | behaviour | evidence |\n|---|---|---|\n")
	for _, c := range checks {
		if slices.Contains(unverified, c.number) || c.has("EM") {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.name(), cell(c.text), c.classes)
		}
	}
	fmt.Fprintf(&b, "\n## Contradictions\n\n%s\n", strings.TrimSpace(contradictionsText))
	return b.String()
}

// shown lists the tests.
func (c *check) shown() string {
	var names []string
	for _, test := range c.tests {
		names = append(names, "`"+test+"`")
	}
	return strings.Join(names, ", ")
}

// cell makes a text fit for a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
