package sdktest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Diff lists how emissions differ from those that the case expects, one line per
// difference; nil if they are the same.
func (c *Case) Diff(got []Emission) []string {
	var found []string
	for i := range max(len(got), len(c.Emissions)) {
		at := fmt.Sprintf("emission %d", i)
		switch {
		case i >= len(got):
			found = append(found, fmt.Sprintf("%s: got none, want %s", at, c.Emissions[i]))
		case i >= len(c.Emissions):
			found = append(found, fmt.Sprintf("%s: want none, got %s", at, got[i]))
		case got[i].String() != c.Emissions[i].String():
			places := got[i].Differences(at, c.Emissions[i])
			if places == nil { // members in another order
				places = []string{fmt.Sprintf("%s\n got %s\nwant %s", at, got[i], c.Emissions[i])}
			}
			found = append(found, places...)
		}
	}
	return found
}

// Differences lists how the emission differs from the wanted one, a line for each
// place. Payloads are compared as values: neither the order of members nor the
// spelling of escapes counts, but the digits of a number do. at names the
// emission.
func (e Emission) Differences(at string, want Emission) []string {
	found := compare(nil, at+" channel", e.Channel, want.Channel)
	found = compare(found, at+" key", e.Key, want.Key)
	found = compare(found, at+" removed", e.Removed, want.Removed)
	return compare(found, at+" payload ", decoded(e.Payload), decoded(want.Payload))
}

// missing stands for a member that is not there.
type missing struct{}

// compare adds a line for each place where two JSON values differ. at names the
// place, and grows as a JSON Pointer does.
func compare(found []string, at string, got, want any) []string {
	g, object := got.(map[string]any)
	w, both := want.(map[string]any)
	if object && both {
		names := maps.Clone(g)
		maps.Copy(names, w)
		for _, name := range slices.Sorted(maps.Keys(names)) {
			found = compare(found, at+"/"+name, memberOf(g, name), memberOf(w, name))
		}
		return found
	}
	if !reflect.DeepEqual(got, want) {
		found = append(found, fmt.Sprintf("%s: got %s, want %s", at, spelled(got), spelled(want)))
	}
	return found
}

func memberOf(object map[string]any, name string) any {
	if v, ok := object[name]; ok {
		return v
	}
	return missing{}
}

func spelled(v any) string {
	if v == (missing{}) {
		return "nothing"
	}
	text, err := json.Marshal(v)
	if err != nil { // it was decoded from JSON
		return fmt.Sprint(v)
	}
	return string(text)
}

// decoded is a payload as Go values, numbers as they are spelled.
func decoded(payload []byte) any {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&v); err != nil {
		return string(payload)
	}
	return v
}
