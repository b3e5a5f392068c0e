package forecast

const laterParts = 10

// later holds rows that wait, by when they are due.
type later struct {
	width float64 // seconds of a part
	rows  float64 // in all
	past  float64 // seconds of the first part that are over
	parts [laterParts][stages]float64
}

// patience makes a lane able to hold rows that wait for so many seconds.
func (l *lane) patience(longest float64) {
	switch {
	case longest <= 0 || l.later != nil && l.later.width*(laterParts-2) >= longest:
	case l.later == nil:
		l.later = &later{width: longest / (laterParts - 2)}
	default:
		l.later.width = longest / (laterParts - 2)
	}
}

// put adds rows that are due after so many seconds.
func (l *later) put(wait, rows float64, stage int) {
	i := min(int((wait+l.past)/l.width), len(l.parts)-1)
	l.parts[i][stage] += rows
	l.rows += rows
}

// pass lets time pass, adds what is due to mass and returns how much that is.
func (l *later) pass(dt float64, mass *[stages]float64) (due float64) {
	if l.rows < least {
		return 0
	}
	l.past += dt
	for n := 0; l.past >= l.width && n < len(l.parts); n++ {
		for stage, rows := range l.parts[0] {
			mass[stage] += rows
			due += rows
		}
		copy(l.parts[:], l.parts[1:])
		l.parts[len(l.parts)-1] = [stages]float64{}
		l.past -= l.width
	}
	if l.past >= l.width {
		l.past = 0
	}
	l.rows -= due
	return due
}

// last returns for how many seconds the last half row waits; 0 if there is none.
func (l *later) last() float64 {
	rows := 0.0
	if l.rows < least {
		return 0
	}
	for i := len(l.parts) - 1; i >= 0; i-- {
		for _, n := range l.parts[i] {
			rows += n
		}
		if rows > 0.5 {
			return float64(i+1)*l.width - l.past
		}
	}
	return 0
}
