// Package testnet is the network for tests that need production defaults: a
// namespace of Linux in which every address there is belongs to this machine, with
// a DNS of the test's own. Whatever is dialled arrives at a canary and not outside,
// so that a guard that fails can do no harm.
package testnet
