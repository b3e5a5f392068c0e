package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// node is a value as somebody wrote it, before it is known what it should be.
type node struct {
	kind  nodeKind
	text  string // of a scalar
	list  []node
	pairs []pair // of a mapping, in the order written
	from  origin
}

type pair struct {
	key   string
	from  origin
	value node
}

type nodeKind uint8

const (
	scalarNode nodeKind = iota
	nullNode            // nothing given: what is there stays
	listNode
	mappingNode
)

func (k nodeKind) String() string {
	return [...]string{"a value", "nothing", "a list", "a mapping"}[k]
}

// Bounds of a configuration in YAML. The parser is recursive and takes quadratic
// time (32 s for 90,000 keys), so depth and length are bounded before it begins.
const (
	maxConfigBytes = 1 << 20
	maxDepth       = 16
	maxTokens      = 50_000 // some 5,000 limits of hosts
)

// parseYAML reads a configuration. at tells the origin of a line.
func parseYAML(text []byte, at func(line int) origin) (node, error) {
	plain, line, err := plainText(text)
	if err != nil {
		return node{}, problem(at(line), "", err)
	}
	tokens := lexer.Tokenize(plain)
	if err := checkTokens(tokens, at); err != nil {
		return node{}, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return node{}, yamlError(err, at)
	}
	root := node{kind: nullNode, from: at(1)}
	for i, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case i > 0:
			return node{}, problem(at(doc.Body.GetToken().Position.Line), "", errors.New("only one document is read"))
		default:
			root, err = convert(doc.Body, at)
		}
	}
	return root, err
}

// plainText accepts the ways in which editors save text: with a byte order mark,
// with any line ends. All else must be UTF-8 without control characters; line is
// that of the first that is not.
func plainText(text []byte) (plain string, line int, err error) {
	if bytes.HasPrefix(text, []byte{0xFF, 0xFE}) || bytes.HasPrefix(text, []byte{0xFE, 0xFF}) {
		return "", 1, errors.New("is UTF-16; save it as UTF-8")
	}
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if !utf8.Valid(text) {
		return "", 1, errors.New("is not UTF-8 text")
	}
	s := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text))
	control := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == '\uFEFF' }
	if i := strings.IndexFunc(s, control); i >= 0 {
		return "", 1 + strings.Count(s[:i], "\n"), errors.New("has a control character")
	}
	return s, 1, nil
}

// checkTokens refuses what a configuration has no need of, before it can cost
// anything: anchors and aliases, which can make a small file huge, tags, deep
// nesting and great length.
func checkTokens(tokens token.Tokens, at func(line int) origin) error {
	depth, line, nested, count := 0, 0, 0, 0
	for _, t := range tokens {
		if t.Type != token.CommentType {
			count++
		}
		refuse := ""
		if t.Position.Line != line {
			line, nested = t.Position.Line, 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			refuse = "anchors and aliases are not read; write the value out"
		case token.TagType, token.DirectiveType, token.MappingKeyType:
			refuse = fmt.Sprintf("%q is not read here", t.Value)
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingValueType:
			if depth == 0 {
				nested++
			}
		default: // a value, or white space
		}
		if depth > maxDepth || nested > maxDepth {
			refuse = "is nested too deeply"
		}
		if count > maxTokens {
			refuse = fmt.Sprintf("says too much; %d words and signs are enough", maxTokens)
		}
		if refuse != "" {
			return problem(at(line), "", errors.New(refuse))
		}
	}
	return nil
}

// convert turns the parser's tree into ours.
func convert(n ast.Node, at func(line int) origin) (node, error) {
	from := at(n.GetToken().Position.Line)
	switch n := n.(type) {
	case *ast.NullNode:
		return node{kind: nullNode, from: from}, nil
	case *ast.LiteralNode:
		return node{text: n.Value.Value, from: from}, nil
	case *ast.SequenceNode:
		out := node{kind: listNode, from: from}
		for _, value := range n.Values {
			v, err := convert(value, at)
			if err != nil {
				return node{}, err
			}
			out.list = append(out.list, v)
		}
		return out, nil
	case *ast.MappingNode:
		return convertPairs(n.Values, from, at)
	case *ast.MappingValueNode:
		return convertPairs([]*ast.MappingValueNode{n}, from, at)
	case ast.ScalarNode:
		return node{text: n.GetToken().Value, from: from}, nil
	}
	return node{}, problem(from, "", fmt.Errorf("%q is not read here", n.GetToken().Value))
}

func convertPairs(pairs []*ast.MappingValueNode, from origin, at func(line int) origin) (node, error) {
	out := node{kind: mappingNode, from: from}
	for _, p := range pairs {
		key := p.Key.GetToken()
		value, err := convert(p.Value, at)
		if err != nil {
			return node{}, err
		}
		out.pairs = append(out.pairs, pair{key: key.Value, from: at(key.Position.Line), value: value})
	}
	return out, nil
}

// yamlError puts the parser's complaint on one line.
func yamlError(err error, at func(line int) origin) error {
	var syntax yaml.Error
	if !errors.As(err, &syntax) || syntax.GetToken() == nil {
		return err
	}
	return problem(at(syntax.GetToken().Position.Line), "", errors.New(syntax.GetMessage()))
}
