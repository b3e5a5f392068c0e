// Package e2e tests the whole program as its users run it: the real binary as a
// process of its own, against an internet in a box. Its tests read the recorded
// corpus, kill the program at random moments, and hold it to the accounts that
// the servers keep.
package e2e
