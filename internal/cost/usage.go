package cost

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

// Usage is what AWS bills for.
type Usage struct {
	Messages          float64 `json:"messages"`          // of API Gateway, either way, of 32 KB each
	ConnectionMinutes float64 `json:"connectionMinutes"` // of API Gateway
	Invocations       float64 `json:"invocations"`       // of Lambda functions
	GBSeconds         float64 `json:"gbSeconds"`         // of Lambda functions
	ReadUnits         float64 `json:"readUnits"`         // of DynamoDB, on demand
	WriteUnits        float64 `json:"writeUnits"`        // of DynamoDB, on demand
}

// Plus adds another usage n times.
func (u Usage) Plus(n float64, other Usage) Usage {
	return Usage{
		Messages:          u.Messages + n*other.Messages,
		ConnectionMinutes: u.ConnectionMinutes + n*other.ConnectionMinutes,
		Invocations:       u.Invocations + n*other.Invocations,
		GBSeconds:         u.GBSeconds + n*other.GBSeconds,
		ReadUnits:         u.ReadUnits + n*other.ReadUnits,
		WriteUnits:        u.WriteUnits + n*other.WriteUnits,
	}
}

// Prices are AWS's of one region, in dollars for a million, without any free tier, discount for
// quantity or tax. They were entered by hand: compare them with the Sources before you rely on them.
type Prices struct {
	Entered string `json:"entered"` // year and month
	Region  string `json:"region"`
	Dollars struct {
		GatewayMessages   float64 `json:"gatewayMessages"`
		ConnectionMinutes float64 `json:"connectionMinutes"`
		Invocations       float64 `json:"invocations"`
		GBSeconds         float64 `json:"gbSeconds"` // of functions for arm64
		ReadUnits         float64 `json:"readUnits"`
		WriteUnits        float64 `json:"writeUnits"`
	} `json:"dollars"`
	Sources []string `json:"sources"`
}

// Of gives what a usage costs, in dollars.
func (p Prices) Of(u Usage) float64 {
	d := p.Dollars
	return (u.Messages*d.GatewayMessages + u.ConnectionMinutes*d.ConnectionMinutes +
		u.Invocations*d.Invocations + u.GBSeconds*d.GBSeconds +
		u.ReadUnits*d.ReadUnits + u.WriteUnits*d.WriteUnits) / 1e6
}

var (
	//go:embed prices.json
	pricesFile []byte
	//go:embed measured.json
	measuredFile []byte
)

// Known gives the prices and the measured figures that the program has in it.
func Known() (Prices, Figures, error) {
	var p Prices
	var f Figures
	if err := json.Unmarshal(pricesFile, &p); err != nil {
		return p, f, fmt.Errorf("prices.json: %w", err)
	}
	if err := json.Unmarshal(measuredFile, &f); err != nil {
		return p, f, fmt.Errorf("measured.json: %w", err)
	}
	return p, f, nil
}
