package resolver

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxNesting bounds the search in a JSON-LD document.
const maxNesting = 8

// media returns the files that JSON-LD names as an encoding of the page's work
// and that are of a type, or by their name are; named may be nil. Those of a data
// set are its data, not an article.
func (d *document) media(isType, named func(string) bool) []string {
	var refs []string
	d.eachNode(func(node map[string]any) {
		for _, key := range []string{"encoding", "associatedMedia"} {
			for _, m := range nodes(node[key]) {
				file, _ := m["contentUrl"].(string)
				format, _ := m["encodingFormat"].(string)
				if file != "" && (isType(format) || named != nil && named(file)) {
					refs = append(refs, file)
				}
			}
		}
	})
	return refs
}

// forSale reports whether JSON-LD says that the work is not free to read.
func (d *document) forSale() bool {
	sale := false
	d.eachNode(func(node map[string]any) {
		free := node["isAccessibleForFree"]
		sale = sale || free == false || free == "False" || free == "false"
	})
	return sale
}

// dataset reports whether the page is about data: JSON-LD or Dublin Core says so.
func (p pageFacts) dataset() bool {
	for _, kind := range append(slices.Clone(p.doc.metas["dc.type"]), p.doc.metas["dcterms.type"]...) {
		if strings.EqualFold(kind, "dataset") {
			return true
		}
	}
	for _, script := range p.doc.scripts {
		var v any
		if json.Unmarshal(script, &v) != nil {
			continue
		}
		if slices.ContainsFunc(nodes(v), func(node map[string]any) bool { return node["@type"] == "Dataset" }) {
			return true
		}
	}
	return false
}

// eachNode visits the things that JSON-LD describes, except data sets.
func (d *document) eachNode(visit func(map[string]any)) {
	for _, script := range d.scripts {
		var v any
		if json.Unmarshal(script, &v) != nil {
			continue
		}
		walk(v, maxNesting, visit)
	}
}

func walk(v any, depth int, visit func(map[string]any)) {
	if depth == 0 {
		return
	}
	for _, node := range nodes(v) {
		if node["@type"] == "Dataset" {
			continue
		}
		visit(node)
		walk(node["@graph"], depth-1, visit)
		walk(node["mainEntity"], depth-1, visit)
	}
}

// nodes returns the objects of v, which is one or an array of them.
func nodes(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var all []map[string]any
		for _, one := range v {
			if node, ok := one.(map[string]any); ok {
				all = append(all, node)
			}
		}
		return all
	default:
		return nil
	}
}
