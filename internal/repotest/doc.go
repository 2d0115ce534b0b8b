// Package repotest holds the rules of the repository as tests: who may import whom, what is
// documented where, how long files and functions may be. Each rule says in its failure why it is
// there and what to do.
//
// A rule is a function from a [tree] to its problems. It is tried on this repository, and on the
// archive testdata/<rule>.txtar, a small repository that breaks it: a rule that finds nothing there
// has gone blind.
package repotest
