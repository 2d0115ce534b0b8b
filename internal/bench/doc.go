// Command bench measures `confab serve` from outside, on Linux: whether a delivery costs the same
// however many are connected, and with members that read nothing. It prints a table and draws it:
//
//	make growth
package main
