package cli

// nearest returns the word that takes the fewest edits to become text, the
// first of them if there are several, or "" if there are no words.
func nearest(text string, words []string) string {
	best, least := "", 0
	for _, word := range words {
		if d := editDistance(text, word); best == "" || d < least {
			best, least = word, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete or replace between a and b
// (Levenshtein). Long texts are cut: nobody mistypes a hundred letters.
func editDistance(a, b string) int {
	const most = 100
	a, b = a[:min(len(a), most)], b[:min(len(b), most)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
