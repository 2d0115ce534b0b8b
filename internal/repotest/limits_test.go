package repotest

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"regexp"
	"time"
)

// hidden are limits that no client can meet: they bound calls between the chat and its stores.
var hidden = map[string]bool{
	"MaxHeads": true, "TombstoneTTL": true, "SubscriptionTTL": true, "SettleAfter": true,
	"TurnMax": true,
}

// limits checks that docs/protocol.md gives the limits with their values.
func limits(tr *tree) []string {
	text := tr.text["docs/protocol.md"]
	var problems []string
	for _, p := range tr.pkgs {
		for _, f := range p.files {
			if f.path != "chat/limits.go" {
				continue
			}
			ast.Inspect(f.syntax, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok || len(spec.Values) != 1 || hidden[spec.Names[0].Name] {
					return true
				}
				value, timed := evaluate(spec.Values[0])
				if n, ok := constant.Int64Val(value); ok && !given(text, n, timed) {
					wanted := spec.Names[0].Name + ": " + spellings(n, timed)[0]
					problems = append(problems, "docs/protocol.md does not give "+wanted)
				}
				return true
			})
		}
	}
	return problems
}

// units are the names that durations are written with.
var units = map[string]time.Duration{"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}

// evaluate computes a constant of whole numbers; timed tells that it is a duration.
func evaluate(e ast.Expr) (value constant.Value, timed bool) {
	switch x := e.(type) {
	case *ast.BasicLit:
		if x.Kind == token.INT {
			return constant.MakeFromLiteral(x.Value, x.Kind, 0), false
		}
	case *ast.SelectorExpr:
		if unit, ok := units[x.Sel.Name]; ok {
			return constant.MakeInt64(int64(unit)), true
		}
	case *ast.BinaryExpr:
		a, timedA := evaluate(x.X)
		b, timedB := evaluate(x.Y)
		if x.Op == token.SHL {
			if n, ok := constant.Uint64Val(b); ok {
				return constant.Shift(a, x.Op, uint(n)), timedA
			}
		}
		return constant.BinaryOp(a, x.Op, b), timedA || timedB
	}
	return constant.MakeUnknown(), false
}

// given tells whether a text has the number in one of its spellings.
func given(text string, n int64, timed bool) bool {
	for _, s := range spellings(n, timed) {
		if regexp.MustCompile(`(^|[^\w,.])` + regexp.QuoteMeta(s) + `($|[^\w,]|,\D)`).MatchString(text) {
			return true
		}
	}
	return false
}

// spellings are the ways to write a number or a duration.
func spellings(n int64, timed bool) []string {
	if timed {
		d := time.Duration(n)
		switch {
		case d%time.Hour == 0:
			return []string{fmt.Sprintf("%d h", d/time.Hour), fmt.Sprintf("%d hours", d/time.Hour)}
		case d%time.Minute == 0:
			return []string{fmt.Sprintf("%d min", d/time.Minute), fmt.Sprintf("%d minutes", d/time.Minute)}
		}
		return []string{fmt.Sprintf("%d s", d/time.Second), fmt.Sprintf("%d seconds", d/time.Second)}
	}
	plain := fmt.Sprint(n)
	list := []string{plain}
	if len(plain) > 3 {
		list = append(list, plain[:len(plain)-3]+","+plain[len(plain)-3:])
	}
	if n%1024 == 0 {
		list = append(list, fmt.Sprintf("%d KiB", n/1024))
	}
	return list
}
