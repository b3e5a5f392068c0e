// Package arch holds only tests. They keep the module's structure: imports go
// down the floors and never sideways, cobra stays at the edge, nothing runs
// before main, and each package says what it is for.
package arch
