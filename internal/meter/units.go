package meter

// Bytes of a unit: the page on read and write operations.
const (
	readStep  = 4096
	writeStep = 1024
)

// transactional is how many times as much a read or a write in a transaction costs.
const transactional = 2

// started is how many units of so many bytes have been begun, at least one: what is not there costs
// one too.
func started(bytes, step int) float64 { return float64(max(1, (bytes+step-1)/step)) }

// ReadUnits gives what a read of so many bytes costs: of one item, or of all that a Query or a Scan
// has looked at together. A read that need not be consistent costs half.
func ReadUnits(bytes int, consistent bool) float64 {
	units := started(bytes, readStep)
	if !consistent {
		units /= 2
	}
	return units
}

// WriteUnits gives what a write of an item costs that had so many bytes before and has so many
// after, 0 where there was or is none.
func WriteUnits(before, after int) float64 { return started(max(before, after), writeStep) }
