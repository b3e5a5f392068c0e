package forecast

// Known is how many keys are known one by one.
func (f *Forecast) Known() int { return len(f.keys) }

// Followed is how many jobs are followed.
func (f *Forecast) Followed() int { return len(f.jobs) }
