// Package manual writes what there is to read of a command, a file or a topic, as
// a man page and as Markdown. It is told plain text, as help on a terminal has it:
// paragraphs, and between them indented lines that stay as they are.
package manual

import "strings"

// A Page is the manual of one thing.
type Page struct {
	Name    string // quire-queue-import
	Section int    // 1 commands, 5 files, 7 topics
	Short   string // what it is, in half a line
	Parts   []Part
}

// A Part is a piece of a page under a heading of its own.
type Part struct {
	Title string
	Text  string // plain text
	Code  string // lines that stay as they are, behind the text
	What  string // the terms are; heads their column in Markdown
	Terms []Term
}

// A Term is something that has a name, such as a flag, and what is said of it.
type Term struct {
	Name  string
	Text  string // one paragraph
	Facts []Fact // in the same order in all terms of a part
}

// A Fact is one thing about a term that many terms have.
type Fact struct {
	Label, Value string // an empty Value is not told
	Code         bool   // the value is something to type
}

// block is a paragraph, on one line, or lines that stay as they are.
type block struct {
	text string
	code bool
}

// blocks takes plain text apart.
func blocks(text string) (all []block) {
	if text == "" {
		return nil
	}
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		var lines []string
		inCode := false
		end := func() {
			switch joined := strings.Join(lines, "\n"); {
			case len(lines) == 0:
			case inCode && len(all) > 0 && all[len(all)-1].code: // blank lines are part of it
				all[len(all)-1].text += "\n\n" + dedent(joined)
			case inCode:
				all = append(all, block{dedent(joined), true})
			default:
				all = append(all, block{strings.Join(strings.Fields(joined), " "), false})
			}
			lines = nil
		}
		for line := range strings.SplitSeq(part, "\n") {
			if code := strings.HasPrefix(line, "  "); code != inCode {
				end()
				inCode = code
			}
			lines = append(lines, line)
		}
		end()
	}
	return all
}

// dedent takes the two spaces off that mark lines as staying as they are.
func dedent(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "  "), "\n  ", "\n")
}
