// Package version says which release the programs are of.
package version

// Number is the version of the programs; the protocol has its own.
const Number = "0.1.0"
