package blob

import "net"

// SetSizes makes files over big bytes go up in parts of that size, and listings
// come in pages of so many keys.
func (s *S3) SetSizes(big int64, pageKeys int) { s.bigBytes, s.pageKeys = big, pageKeys }

// IdleTime is after how long a connection on which nothing moves breaks.
const IdleTime = idleTime

// NewIdleConn is a connection as the store has them.
func NewIdleConn(c net.Conn) net.Conn { return idleConn{c} }
