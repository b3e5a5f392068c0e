package forecast

const (
	// stages is how many attempts are told apart; the last stands for all later ones.
	stages = 3
	// mostWays is how many next spots are known one by one at each.
	mostWays = 1 << 12
)

// spot is where jobs are on their way: at a key, in a phase, which is the source that
// was asked last. It tells what becomes of their steps there. Counts are weighted by
// when they were made.
type spot struct {
	key   *key
	class *class
	phase uint8
	here  int // jobs that are followed

	steps  [stages]float64
	again  [stages]float64 // of steps, those to be made again after a wait
	waits  [stages]float64 // seconds, in all
	stayed float64         // to be made again at once
	ended  float64         // whose job has finished
	moved  map[*spot]float64
	came   float64 // jobs from elsewhere

	lane int32 // of the flow that is being made
}

// kind is the spot of the whole class.
func (s *spot) kind() *spot { return s.class.spot(s.phase) }

// learn counts a step that has ended here. next is nil if the job stays or has
// finished.
func (s *spot) learn(did Step, next *spot, w float64) {
	stage := min(max(did.Attempt, 1), stages) - 1
	s.steps[stage] += w
	switch {
	case did.Finished:
		s.ended += w
	case next != nil:
		if _, known := s.moved[next]; !known && len(s.moved) >= mostWays {
			next = next.kind()
		}
		if s.moved == nil {
			s.moved = make(map[*spot]float64)
		}
		s.moved[next] += w
	case did.Delay > 0:
		s.again[stage] += w
		s.waits[stage] += w * did.Delay.Seconds()
	default:
		s.stayed += w
	}
}

// final is how many steps did not end in a wait, weighted.
func (s *spot) final() (n float64) {
	for stage, steps := range s.steps {
		n += steps - s.again[stage]
	}
	return n
}
