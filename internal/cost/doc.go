// Package cost says what the chat on AWS costs: what each operation uses was measured on the
// rehearsal of the deployment, what that costs is in one dated file of prices, and what people do in
// a month is a [Load]. docs/cost.md is written from it; `confab cost` answers for any load.
package cost
