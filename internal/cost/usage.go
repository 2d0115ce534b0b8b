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
	LogBytes          float64 `json:"logBytes"`          // that CloudWatch Logs takes in, and keeps for 30 days
	StoredBytes       float64 `json:"storedBytes"`       // of DynamoDB, in the table for a month
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
		LogBytes:          u.LogBytes + n*other.LogBytes,
		StoredBytes:       u.StoredBytes + n*other.StoredBytes,
	}
}

// Prices are AWS's of one region, in dollars, without any free tier, discount for quantity or tax.
// They were entered by hand: compare them with the Sources before you rely on them.
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
	} `json:"dollars"` // for a million
	DollarsOfGB struct {
		Logs     float64 `json:"logs"`     // taken in
		LogMonth float64 `json:"logMonth"` // kept for a month
		Stored   float64 `json:"stored"`   // in a table for a month
	} `json:"dollarsOfGB"`
	Sources  []string `json:"sources"`
	Compared []string `json:"compared"` // pages of others with the same prices, of what has a price here
}

// gigabyte is AWS's: 2 to the 30th.
const gigabyte = 1 << 30

// Charge is one line of AWS's bill.
type Charge struct {
	What     string
	Quantity float64
	Dollars  float64
}

// Charges give what AWS bills for a usage, each kind.
func (p Prices) Charges(u Usage) []Charge {
	million := func(what string, quantity, dollars float64) Charge {
		return Charge{what, quantity, quantity * dollars / 1e6}
	}
	megabytes := func(what string, bytes, dollarsOfGB float64) Charge {
		return Charge{what, bytes / (1 << 20), bytes * dollarsOfGB / gigabyte}
	}
	return []Charge{
		million("gateway messages", u.Messages, p.Dollars.GatewayMessages),
		million("connection minutes", u.ConnectionMinutes, p.Dollars.ConnectionMinutes),
		million("invocations of functions", u.Invocations, p.Dollars.Invocations),
		million("GB-seconds of functions", u.GBSeconds, p.Dollars.GBSeconds),
		million("read units", u.ReadUnits, p.Dollars.ReadUnits),
		million("write units", u.WriteUnits, p.Dollars.WriteUnits),
		megabytes("MB of logs", u.LogBytes, p.DollarsOfGB.Logs+p.DollarsOfGB.LogMonth),
		megabytes("MB in the table", u.StoredBytes, p.DollarsOfGB.Stored),
	}
}

// Of gives what a usage costs, in dollars.
func (p Prices) Of(u Usage) (dollars float64) {
	for _, c := range p.Charges(u) {
		dollars += c.Dollars
	}
	return dollars
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
