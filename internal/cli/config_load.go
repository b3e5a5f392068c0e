package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/goccy/go-yaml"
)

// loaded is a configuration that has been read and checked.
type loaded struct {
	Config   Config
	Warnings []string // one line each, for the log

	origins map[string]origin
}

// Origin tells the value of one setting and where it comes from.
type Origin struct {
	Path  string `json:"path"`
	Value string `json:"value"`  // secrets masked
	From  string `json:"origin"` // default, FILE:LINE, env NAME, flag --NAME
}

// loadConfig puts the configuration together: the defaults, the file at path (""
// for none; one that is not there is an error if mustExist), the variables of
// environ, and the command line: flags maps the paths that have a flag of their
// own, such as orchestrator.max_workers, to texts, and sets is for all. Its error is
// a [*configError] that names everything that is wrong, or one of usage.
func loadConfig(path string, mustExist bool, environ []string, flags map[string]string, sets ...setting) (*loaded, error) {
	file, err := readConfig(path, mustExist)
	if err != nil {
		return nil, &configError{problems: []error{err}}
	}
	return compose(file, environ, flags, sets)
}

// compose lays file, environ and the command line over the defaults, reads the files
// of keys and checks the whole.
func compose(file node, environ []string, flags map[string]string, sets []setting) (*loaded, error) {
	out := &loaded{Config: defaultConfig(), origins: map[string]origin{}}
	l := &layers{origins: out.origins}
	root := reflect.ValueOf(&out.Config).Elem()

	l.apply(root, file, "", "")

	variables, problems := environment(environ)
	l.problems = append(l.problems, problems...)
	for _, path := range slices.Sorted(maps.Keys(variables)) {
		l.apply(root, nest(path, variables[path], origin{rank: byEnv, where: "env " + envName(path)}), "", "")
	}
	l.applySettings(root, sets)
	for _, path := range slices.Sorted(maps.Keys(flags)) {
		if err := l.conflict(path, ownFlag(path)); err != nil {
			return nil, err
		}
		l.apply(root, nest(path, flags[path], origin{rank: byFlag, where: "flag --" + ownFlag(path)}), "", "")
	}
	out.Warnings = l.readKeys(&out.Config.Resolvers)
	if len(l.problems) == 0 {
		l.check(&out.Config)
	}
	if len(l.problems) > 0 {
		return nil, &configError{problems: l.problems}
	}
	return out, nil
}

// ownFlag names the flag that sets path and nothing else, without its dashes.
func ownFlag(path string) string {
	for _, k := range knownPaths(reflect.TypeFor[Config](), "") {
		if k.path == path {
			return k.flag
		}
	}
	return ""
}

// readConfig reads the file.
func readConfig(path string, mustExist bool) (node, error) {
	if path == "" {
		return node{kind: nullNode}, nil
	}
	text, err := readSmall(path, maxConfigBytes)
	if !mustExist && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		return node{kind: nullNode}, nil
	}
	if err != nil {
		return node{}, err
	}
	return parseYAML(text, linesOf(path))
}

func linesOf(path string) func(line int) origin {
	return func(line int) origin {
		return origin{rank: byFile, where: fmt.Sprintf("%s:%d", path, line), dir: filepath.Dir(path)}
	}
}

// readSmall reads a regular file of at most limit bytes. It never waits for
// anybody to write to a pipe, nor reads a device for ever.
func readSmall(path string, limit int64) ([]byte, error) {
	about, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case about.IsDir():
		return nil, fmt.Errorf("open %s: is a directory", path)
	case !about.Mode().IsRegular():
		return nil, fmt.Errorf("open %s: is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("read %s: is larger than %s", path, byteSize(limit))
	}
	return text, err
}

// readKeys reads the resolvers' keys from their files, except those that are
// given otherwise.
func (l *layers) readKeys(resolvers *resolversConfig) (warnings []string) {
	const most = 4 << 10 // bytes; keys have some forty
	for _, name := range resolverNames() {
		r, path := resolvers.named(name), "resolvers."+name
		if r.APIKeyFile == "" || !r.APIKey.IsZero() {
			continue
		}
		file := string(r.APIKeyFile)
		text, err := readSmall(file, most)
		if err == nil {
			err = r.APIKey.UnmarshalText([]byte(strings.TrimSpace(string(text))))
		}
		if err == nil && r.APIKey.IsZero() {
			err = fmt.Errorf("%s is empty", file)
		}
		if err != nil {
			l.fail(l.origins[path+".api_key_file"], path+".api_key_file", err)
			continue
		}
		l.origins[path+".api_key"] = origin{rank: byFile, where: file}
		if about, err := os.Stat(file); err == nil && runtime.GOOS != "windows" && about.Mode().Perm()&0o004 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s: holds a key and can be read by everybody; chmod 600 it", file))
		}
	}
	return warnings
}

// Origins lists the settings in the order of the file.
func (l *loaded) Origins() []Origin {
	var out []Origin
	walk(reflect.ValueOf(l.Config), "", func(path string, v reflect.Value) {
		out = append(out, Origin{Path: path, Value: show(v), From: l.origins[path].String()})
	})
	return out
}

func show(v reflect.Value) string {
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(v.Interface())
	}
	texts := make([]string, v.Len())
	for i := range texts {
		texts[i] = fmt.Sprint(v.Index(i).Interface())
	}
	return strings.Join(texts, ",")
}

// YAML returns the configuration as a file of its own, with secrets masked.
func (l *loaded) YAML() ([]byte, error) {
	text, err := yaml.Marshal(l.Config)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return text, nil
}
