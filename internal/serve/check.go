package serve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/confab-chat/confab/chatapi"
)

// stageName is what API Gateway allows (Developer Guide, "Quotas for WebSocket APIs").
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// CheckStages tells whether the names may be stages.
func CheckStages(stages []string) error {
	if len(stages) == 0 {
		return fmt.Errorf("--stage: want at least one")
	}
	for _, s := range stages {
		if !stageName.MatchString(s) {
			return fmt.Errorf("--stage %q: want 1 to 128 letters, digits, '-' and '_'", s)
		}
	}
	return nil
}

// CheckDialect tells whether there is such a dialect.
func CheckDialect(name string) error {
	if !slices.Contains(chatapi.Dialects(), name) {
		all := strings.Join(chatapi.Dialects(), ", ")
		return fmt.Errorf("--dialect %q: the dialects are: %s", name, all)
	}
	return nil
}
