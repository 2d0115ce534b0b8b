package cost

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed page.txt
var pageText string

// loads are those that docs/cost.md describes.
var loads = []struct {
	what string
	load Load
}{
	{
		"A team of 10: connected 8 hours on each of 22 days, 40 messages a day each to a room of 10",
		Load{People: 10, Hours: 176, Sessions: 110, Messages: 880, Direct: 110, Room: 10},
	},
	{
		"A room of 100: 2 hours on each of 20 evenings, 15 messages an evening each to all",
		Load{People: 100, Hours: 40, Sessions: 40, Messages: 300, Room: 100},
	},
	{
		"1,000 idle connections, day and night",
		Load{People: 1000, Hours: 720, Sessions: 360, Room: 1},
	},
	{
		"A company of 500: connected as the team, 40 messages a day each to a room of 10 of them",
		Load{People: 500, Hours: 176, Sessions: 110, Messages: 880, Direct: 110, Room: 10},
	},
	{"Nobody", Load{}},
}

// Page writes docs/cost.md.
func Page(p Prices, f Figures) string {
	return strings.NewReplacer(
		"{{prices}}", priceTable(p), "{{operations}}", operationTable(p, f),
		"{{receivers}}", receiverTable(p, f), "{{loads}}", loadTables(p, f),
		"{{entered}}", p.Entered, "{{region}}", p.Region,
		"{{subscription}}", fmt.Sprint(f.SubscriptionBytes),
		"{{connection}}", fmt.Sprint(f.ConnectionBytes),
	).Replace(pageText)
}

func priceTable(p Prices) string {
	d := p.Dollars
	var b strings.Builder
	b.WriteString("| of a million | dollars |\n|---|---|\n")
	for _, row := range []struct {
		what    string
		dollars float64
	}{
		{"gateway messages, of 32 KB each", d.GatewayMessages},
		{"connection minutes", d.ConnectionMinutes},
		{"invocations", d.Invocations},
		{"GB-seconds, arm64", d.GBSeconds},
		{"read units, on demand", d.ReadUnits},
		{"write units, on demand", d.WriteUnits},
	} {
		fmt.Fprintf(&b, "| %s | %g |\n", row.what, row.dollars)
	}
	b.WriteString("\nPages: " + strings.Join(p.Sources, ", ") + ".")
	return b.String()
}

const usageHead = "| %s | gateway messages | invocations | GB-seconds | read units | " +
	"write units | dollars a million |\n|---|---|---|---|---|---|---|\n"

func usageRow(p Prices, what string, u Usage) string {
	return fmt.Sprintf("| %s | %g | %g | %.4f | %g | %g | %.2f |\n", what, u.Messages, u.Invocations,
		u.GBSeconds, u.ReadUnits, u.WriteUnits, 1e6*p.Of(u))
}

func operationTable(p Prices, f Figures) string {
	text := fmt.Sprintf(usageHead, "operation") +
		usageRow(p, "a connection, with hello and its end", f.Open) +
		usageRow(p, "an hour connected, without heartbeats", Usage{ConnectionMinutes: 60}) +
		usageRow(p, "a heartbeat", f.Heartbeat) +
		usageRow(p, "joining a room", f.Join) +
		usageRow(p, "a direct message", f.Direct) +
		usageRow(p, "a sweep", f.Sweep)
	for _, s := range f.Seeds {
		text += usageRow(p, s.Name+": a connection and its end", s.Open)
	}
	return strings.TrimSpace(text)
}

func receiverTable(p Prices, f Figures) string {
	const everybody = 10_000
	text := fmt.Sprintf(usageHead, "a message")
	for _, receivers := range []float64{1, 10, 100, 1000} {
		text += usageRow(p, fmt.Sprintf("to %g of a room", receivers), f.To(receivers))
	}
	for _, s := range f.Seeds {
		for _, connected := range []float64{10, 1000, everybody} {
			text += usageRow(p, fmt.Sprintf("%s, %g connected", s.Name, connected), s.To(connected))
		}
	}
	return strings.TrimSpace(text)
}

func loadTables(p Prices, f Figures) string {
	var b strings.Builder
	for _, l := range loads {
		fmt.Fprintf(&b, "### %s\n\n```console\n$ confab cost %s\n", l.what, l.load.Flags())
		b.WriteString(Table(f.Bill(p, l.load)))
		b.WriteString("```\n\n")
		if l.load.People == 0 {
			continue
		}
		var others []string
		for _, s := range f.Seeds {
			others = append(others, fmt.Sprintf("%s $%.2f", s.Name, Total(s.Bill(p, l.load)).Dollars))
		}
		b.WriteString("The write-ups' chats: " + strings.Join(others, ", ") + ".\n\n")
	}
	return strings.TrimSpace(b.String())
}

// Table writes a bill in columns, for terminals.
func Table(items []Item) string {
	var b strings.Builder
	const row = "%-20s %12s %12s %12s %12s %12s %10s\n"
	fmt.Fprintf(&b, row, "", "times", "gw messages", "conn minutes", "read units", "write units",
		"dollars")
	for _, i := range append(items, Total(items)) {
		times := number(i.Times)
		if i.Times == 0 && i.What == Total(nil).What {
			times = ""
		}
		fmt.Fprintf(&b, row, i.What, times, number(i.Usage.Messages), number(i.Usage.ConnectionMinutes),
			number(i.Usage.ReadUnits), number(i.Usage.WriteUnits), fmt.Sprintf("%.2f", i.Dollars))
	}
	return b.String()
}

// number writes a whole number with commas.
func number(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Flags are those of `confab cost` for a load.
func (l Load) Flags() string {
	text := fmt.Sprintf("--people %g --hours %g --sessions %g --messages %g --direct %g --room %g",
		l.People, l.Hours, l.Sessions, l.Messages, l.Direct, l.Room)
	if l.NoSweep {
		text += " --sweep=false"
	}
	return text
}
