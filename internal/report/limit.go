package report

// Limit is the JSON shape of what is in force at one key. Null means that there
// is no such limit, or that nothing is known of it.
type Limit struct {
	Key           string    `json:"key"`
	Hosts         []string  `json:"hosts"`     // others that share it; of a resolver: those of its API
	InFlight      *int      `json:"in_flight"` // requests at once
	Start         *int      `json:"start"`     // as many at first, until the key has answered well for a while
	PerSecond     *float64  `json:"per_second"`
	EverySeconds  *float64  `json:"every_seconds"` // the same as PerSecond: least time between two starts
	Burst         int       `json:"burst"`         // starts that may come at once after a rest
	Batch         int       `json:"batch"`         // works that a request may ask for
	Daily         *int      `json:"daily"`         // requests in a day of UTC
	Group         *string   `json:"group"`         // of keys that share a cap
	GroupInFlight *int      `json:"group_in_flight"`
	From          LimitFrom `json:"from"`
	VerifiedOn    *string   `json:"verified_on"` // of the row in the shipped table
	Source        *string   `json:"source"`
	Now           *LimitNow `json:"now"` // as runs have noted it; null: none has noted anything
}

// LimitFrom tells where each value is from: "shipped table", "default", a line of
// the configuration file, a variable, a flag, "resolver" (it can take no more),
// "announced" by the key, or "learnt" from how it answered; of InFlight these two are
// not told apart: "announced or learnt".
type LimitFrom struct {
	InFlight  string `json:"in_flight"`
	PerSecond string `json:"per_second"`
	Burst     string `json:"burst"`
	Batch     string `json:"batch"`
	Daily     string `json:"daily"`
	Group     string `json:"group"`
}

// LimitNow is what runs have noted of a key apart from its limits.
type LimitNow struct {
	GateSeconds float64 `json:"gate_seconds"`
	GateReason  *string `json:"gate_reason"`
	Breaker     string  `json:"breaker"`
	Today       *int    `json:"today"` // requests since midnight UTC
}
