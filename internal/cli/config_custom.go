package cli

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/quire-dev/quire"
	"github.com/quire-dev/quire/internal/resolver"
)

// customConfig is a source of one's own. It takes what Zotero's
// extensions.zotero.findPDFs.resolvers does, so that entries can be pasted: JSON
// is YAML.
type customConfig struct {
	Name      string         `yaml:"name" doc:"lower-case letters, digits, - and _; its key is resolver:NAME"`
	Method    string         `yaml:"method,omitempty" oneof:"GET" doc:"GET, as nothing else is asked"`
	URL       string         `yaml:"url" doc:"http or https address with {doi} in its path or query"`
	Mode      string         `yaml:"mode" oneof:"html,json" doc:"what it answers with"`
	Selector  string         `yaml:"selector" doc:"html: a CSS selector; json: a path such as .oa_locations.url_for_pdf"`
	Attribute string         `yaml:"attribute,omitempty" doc:"html: the attribute that holds the address; its text if left out"`
	Index     int            `yaml:"index,omitempty" range:"0..1000" doc:"html: which of the selected elements, from 0"`
	Mappings  mappingsConfig `yaml:"mappings,omitempty" doc:"json: where each selected object has its url, pageURL, version and license"`
	Automatic bool           `yaml:"automatic,omitempty" doc:"of Zotero's; means nothing here"`
}

// mappingsConfig has names or paths by what they mean.
type mappingsConfig struct {
	URL     string `yaml:"url,omitempty" doc:"address of the file"`
	PageURL string `yaml:"pageURL,omitempty" doc:"address of a page to search if there is no file"`
	Version string `yaml:"version,omitempty" doc:"which version of the work it is"`
	License string `yaml:"license,omitempty" doc:"the licence"`
}

func (m mappingsConfig) library() map[string]string {
	all := map[string]string{"url": m.URL, "pageURL": m.PageURL, "version": m.Version, "license": m.License}
	for word, at := range all {
		if at == "" {
			delete(all, word)
		}
	}
	return all
}

func (c customConfig) library() *quire.CustomSource {
	return &quire.CustomSource{
		URL: c.URL, Mode: c.Mode, Selector: c.Selector, Attribute: c.Attribute, Index: c.Index, Mappings: c.Mappings.library(),
	}
}

// custom returns the source of one's own of this name, or nil.
func (r *resolversConfig) custom(name string) *quire.CustomSource {
	for _, c := range r.Custom {
		if c.Name == name {
			return c.library()
		}
	}
	return nil
}

// checkCustom refuses sources that could not be asked.
func (l *layers) checkCustom(c *resolversConfig) {
	for i, one := range c.Custom {
		path := element("resolvers.custom", i)
		_, err := resolver.NewCustom(one.Name, *one.library(), nil)
		if err == nil && slices.ContainsFunc(c.Custom[:i], func(before customConfig) bool { return before.Name == one.Name }) {
			err = fmt.Errorf("name %q is taken", one.Name)
		}
		if err != nil {
			l.fail(cmp.Or(l.origins[l.below(path)], l.origins["resolvers.custom"]), path, err)
		}
	}
}

// element is the path of an element of a list of groups.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// applyGroups replaces a list of groups of settings.
func (l *layers) applyGroups(v reflect.Value, n node, path string, tag reflect.StructTag) {
	for at := range l.origins {
		if strings.HasPrefix(at, path+"[") {
			delete(l.origins, at) // of the list that is replaced
		}
	}
	out := reflect.MakeSlice(v.Type(), len(n.list), len(n.list))
	for i, value := range n.list {
		value.from = cmp.Or(value.from, n.from)
		l.apply(out.Index(i), value, element(path, i), tag)
	}
	v.Set(out)
	l.origins[path] = n.from
}
