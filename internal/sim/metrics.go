package sim

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Metrics reads all metrics of the process, by name and labels as `confab_connections` or
// `confab_close_codes_total{code="1013"}`. What has not been counted yet is absent, thus 0.
func (p *Process) Metrics(tb testing.TB) map[string]float64 {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Admin+"/metrics", http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatalf("metrics: %v", err)
	}
	defer resp.Body.Close()
	all := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, err := sample(lines.Text()); err == nil {
			all[name] = value
		}
	}
	if resp.StatusCode != http.StatusOK || len(all) == 0 {
		tb.Fatalf("metrics: status %d, %d samples", resp.StatusCode, len(all))
	}
	return all
}

// sample reads one line of Prometheus' text format; comments are errors.
func sample(line string) (name string, value float64, err error) {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || strings.HasPrefix(line, "#") {
		return "", 0, fmt.Errorf("no sample: %q", line)
	}
	value, err = strconv.ParseFloat(line[at+1:], 64)
	return line[:at], value, err
}
