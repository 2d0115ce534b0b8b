package cost

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed page.txt
var pageText string

// idle is the load whose cost is heartbeats.
var idle = Load{People: 1000, Hours: 720, Sessions: 360, Room: 1000}

// loads are those that docs/cost.md describes.
var loads = []struct {
	what string
	load Load
}{
	{
		"A team of 10: 8 hours on each of 22 days, 40 messages a day each to all, 5 to one other",
		Load{People: 10, Hours: 176, Sessions: 110, Messages: 880, Direct: 110, Room: 10},
	},
	{
		"A room of 100: 2 hours on each of 20 evenings, 15 messages an evening each to all",
		Load{People: 100, Hours: 40, Sessions: 40, Messages: 300, Room: 100},
	},
	{
		"A company of 500: connected as the team, 40 messages a day each to a room of 10 of them",
		Load{People: 500, Hours: 176, Sessions: 110, Messages: 880, Direct: 110, Room: 10},
	},
	{
		"1,000 idle connections, day and night",
		idle,
	},
	{"Nobody", Load{}},
}

// YearKept is how many months of messages are in the table unless somebody says otherwise.
const YearKept = 12

// described gives the loads as the page has them.
func described(l Load) Load {
	l.Kept, l.Heartbeat = YearKept, HeartbeatSeconds
	return l
}

// Page writes docs/cost.md.
func Page(p Prices, f Figures) string {
	longest := described(idle)
	longest.Heartbeat = 540
	return strings.NewReplacer(
		"{{example}}", example(p, f), "{{overview}}", overview(p, f),
		"{{prices}}", priceTable(p), "{{operations}}", operationTable(p, f),
		"{{receivers}}", receiverTable(p, f), "{{seeds}}", seedTable(p, f),
		"{{months}}", months(p, f),
		"{{entered}}", p.Entered, "{{region}}", p.Region,
		"{{subscription}}", fmt.Sprint(f.SubscriptionBytes),
		"{{connection}}", fmt.Sprint(f.ConnectionBytes),
		"{{message}}", fmt.Sprint(f.MessageBytes), "{{receipt}}", fmt.Sprint(f.ReceiptBytes),
		"{{longest}}", fmt.Sprintf("%.2f", Total(f.Bill(p, longest)).Dollars),
	).Replace(pageText)
}

// example is the first load with its price, and the command that tells it.
func example(p Prices, f Figures) string {
	l := loads[0]
	dollars := Total(f.Bill(p, described(l.load))).Dollars
	return fmt.Sprintf("**$%.2f a month.** %s.\n\n%s", dollars, l.what, command(p, f, l.load))
}

// command is `confab cost` for a load, with what it prints of it.
func command(p Prices, f Figures, l Load) string {
	return "```console\n$ confab cost " + l.Flags() + "\n" + Text(p, f, described(l)) + "```"
}

// overview has all loads, beside the write-ups' designs that tell everybody.
func overview(p Prices, f Figures) string {
	var b strings.Builder
	b.WriteString("| dollars a month | Confab |")
	rule := "\n|---|---|"
	for _, s := range f.Seeds {
		if s.Message.Messages > 0 {
			b.WriteString(" " + s.What + " |")
			rule += "---|"
		}
	}
	b.WriteString(rule + "\n")
	for _, l := range loads {
		fmt.Fprintf(&b, "| %s | %.2f |", l.what, Total(f.Bill(p, described(l.load))).Dollars)
		for _, s := range f.Seeds {
			if s.Message.Messages > 0 {
				fmt.Fprintf(&b, " %.2f |", Total(s.Bill(p, l.load)).Dollars)
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimSpace(b.String())
}

// months has the loads after the first in full.
func months(p Prices, f Figures) string {
	var b strings.Builder
	for _, l := range loads[1:] {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", l.what, command(p, f, l.load))
	}
	return strings.TrimSpace(b.String())
}

func priceTable(p Prices) string {
	d, g := p.Dollars, p.DollarsOfGB
	var b strings.Builder
	b.WriteString("| what | dollars |\n|---|---|\n")
	for _, row := range []struct {
		what    string
		dollars float64
	}{
		{"a million gateway messages, of 32 KB each", d.GatewayMessages},
		{"a million connection minutes", d.ConnectionMinutes},
		{"a million invocations", d.Invocations},
		{"a million GB-seconds, arm64", d.GBSeconds},
		{"a million read units, on demand", d.ReadUnits},
		{"a million write units, on demand", d.WriteUnits},
		{"a GB of logs taken in", g.Logs},
		{"a GB of logs for a month", g.LogMonth},
		{"a GB in the table for a month", g.Stored},
	} {
		fmt.Fprintf(&b, "| %s | %g |\n", row.what, row.dollars)
	}
	b.WriteString("\nAWS's pages: " + strings.Join(p.Sources, ", ") + ".\n\nCompared with: " +
		strings.Join(p.Compared, ", ") + ".")
	return b.String()
}

const usageHead = "| %s | gateway messages | invocations | GB-s | read units | write units | " +
	"bytes of log | dollars a million |\n|---|---|---|---|---|---|---|---|\n"

func usageRow(p Prices, what string, u Usage) string {
	return fmt.Sprintf("| %s | %s | %g | %.4f | %g | %g | %s | %.2f |\n", what, number(u.Messages),
		u.Invocations, u.GBSeconds, u.ReadUnits, u.WriteUnits, number(u.LogBytes), 1e6*p.Of(u))
}

func operationTable(p Prices, f Figures) string {
	return strings.TrimSpace(fmt.Sprintf(usageHead, "operation") +
		usageRow(p, "a connection, with hello and its end", f.Open) +
		usageRow(p, "verifying its token, with an issuer", f.Authorizer) +
		usageRow(p, "an hour connected, without heartbeats", Usage{ConnectionMinutes: 60}) +
		usageRow(p, "a heartbeat", f.Heartbeat) +
		usageRow(p, "joining a room", f.Join) +
		usageRow(p, "a message to one other", f.Direct) +
		usageRow(p, "a message kept for a month", f.Kept(1, 0)) +
		usageRow(p, "a sweep", f.Sweep))
}

func receiverTable(p Prices, f Figures) string {
	text := fmt.Sprintf(usageHead, "a message to")
	for _, receivers := range []float64{1, 10, 100, 1000} {
		text += usageRow(p, "a room of "+number(receivers), f.To(receivers))
	}
	return strings.TrimSpace(text)
}

func seedTable(p Prices, f Figures) string {
	text := fmt.Sprintf(usageHead, "chat")
	for _, s := range f.Seeds {
		text += usageRow(p, s.What+": a connection and its end, 10 connected", s.Connecting(10))
		if s.OpenScans > 0 || s.EachOpen.Messages > 0 {
			text += usageRow(p, s.What+": the same, 1,000 connected", s.Connecting(1000))
		}
		for _, open := range []float64{10, 1000, 10_000} {
			if s.Message.Messages > 0 {
				text += usageRow(p, fmt.Sprintf("%s: a message, %s connected", s.What, number(open)), s.To(open))
			}
		}
		if s.Direct.Messages > 0 {
			text += usageRow(p, s.What+": a message to one other", s.Direct)
		}
	}
	return strings.TrimSpace(text)
}

// Text writes a load's bill for terminals: in a sentence, by what people do, then by what AWS bills.
func Text(p Prices, f Figures, l Load) string {
	var b strings.Builder
	const row = "%-26s %14s %10s\n"
	items := f.Bill(p, l)
	all := Total(items)
	fmt.Fprintf(&b, "About $%s a month:\n%s.\n\n", money(all.Dollars), l)
	fmt.Fprintf(&b, row, "what is done in a month", "times", "dollars")
	for _, i := range items {
		fmt.Fprintf(&b, row, i.What, number(i.Times), money(i.Dollars))
	}
	fmt.Fprintf(&b, row, "together", "", money(all.Dollars))
	fmt.Fprintf(&b, "\n"+row, "what AWS bills for it", "quantity", "dollars")
	for _, c := range p.Charges(all.Usage) {
		fmt.Fprintf(&b, row, c.What, number(c.Quantity), money(c.Dollars))
	}
	fmt.Fprintf(&b, row, "together", "", money(all.Dollars))
	return b.String()
}

// money writes dollars with cents.
func money(dollars float64) string {
	whole, cents, _ := strings.Cut(fmt.Sprintf("%.2f", dollars), ".")
	return grouped(whole) + "." + cents
}

// number writes a number, rounded to a whole one, with commas.
func number(n float64) string { return grouped(fmt.Sprintf("%.0f", n)) }

func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
