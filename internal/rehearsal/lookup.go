package rehearsal

import (
	"context"
	"fmt"

	"github.com/confab-chat/confab/lambdahost"
)

// Output gives the value of one of the template's Outputs; "": there is none.
func (r *Runner) Output(name string) string {
	for _, o := range r.current().Outputs {
		if o.Name == name {
			return o.Value
		}
	}
	return ""
}

// Invoke gives a function, by its logical id or name, an event of its own and waits for the answer.
func (r *Runner) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	f := r.functionOf(function)
	if f == nil {
		return nil, fmt.Errorf("the template has no function %s", function)
	}
	out, err := r.host.Invoke(ctx, lambdahost.Input{Function: f.Name, Payload: payload})
	if err != nil {
		return nil, err
	}
	return out.Payload, out.Err()
}
