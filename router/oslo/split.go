package oslo

import (
	"slices"
	"strings"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
)

// maxParts bounds how many messages one can be split into. Nobody but an admin creates
// things for several projects at once, and hardly for more than a few.
const maxParts = 64

// Split gives the messages that a decoded one stands for, each as a body that Decode
// takes: one for each project among the owners of what neutron has created in bulk, and
// one for what has no owner. Nil, as nearly always, if it stands for itself.
//
// The messages have the same id and differ in nothing but the resources that are listed,
// so that each project hears of its own.
func Split(n *event.Notification) [][]byte {
	list := neutronList(n)
	if n.Project != "" || list.Kind() != json.Array {
		return nil
	}
	var owners []string
	var lists [][]byte // of the resources, one for each owner
	for each := range list.Elements() {
		if each.Kind() == json.Absent {
			continue // it was a secret
		}
		owner, _ := neutronProject(n, each)
		if !event.IsID(owner) {
			owner = ""
		}
		i := slices.Index(owners, owner)
		if i < 0 {
			if i = len(owners); i == maxParts {
				return nil
			}
			owners, lists = append(owners, owner), append(lists, nil)
		}
		lists[i] = append(append(lists[i], ','), each.Raw()...)
	}
	before, after := list.Around()
	if len(owners) < 2 || len(owners)*(len(before)+len(after)) > DefaultMaxBodyBytes {
		return nil
	}
	for i, list := range lists {
		list[0] = '['
		lists[i] = slices.Concat(before, list, []byte("]"), after)
	}
	return lists
}

// neutronList is the payload's list of resources of a creation in bulk.
func neutronList(n *event.Notification) json.Value {
	r, ok := ruleFor(n.Type)
	if !ok || r.neutron == "" || strings.HasSuffix(n.Type, ".start") {
		return json.Value{}
	}
	body := n.Root().Member("payload")
	if body.Member(r.neutron).Kind() == json.Object {
		return json.Value{}
	}
	return plural(body, r.neutron)
}
