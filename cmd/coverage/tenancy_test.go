package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"horizon-realtime/router/event"
)

// For no event of any service does any stock plugin emit to a project or a user
// that does not own it, nor what only admins may see to anybody else. The
// notifications are all golden ones and the recorded ones, as they are and
// mutated; the plugins are the compiled ones. Nothing is left to the router's
// door: it has nothing to refuse.
func TestNobodyIsToldWhatIsNotTheirs(t *testing.T) {
	s, cases, plugins := tables(t)
	var messages [][]byte
	for _, c := range cases {
		for _, m := range append(slices.Clone(c.Before), c.Notification) {
			messages = append(messages, m)
		}
	}
	messages = append(messages, sample(t, recorded(t), 1)...)
	told := map[string]int{}
	sent := 0
	for _, m := range mutations(s) {
		for _, message := range messages {
			sent++
			fresh := fmt.Sprintf("fresh-%d", sent)
			mutated := m.apply(t, renewed(t, message, m.resource+fresh), fresh)
			n, all, ok := plugins.send(t, mutated)
			if !ok {
				t.Fatalf("%s: the router does not take %s", m.name, mutated)
			}
			named := owners(mutated)
			for _, e := range all {
				told[m.name]++
				if problem := leak(n, &m, e, named); problem != "" {
					t.Errorf("%s, %s: %s: %s\n  of %.300s\n  as %.300s", n.Type, m.name, e.plugin, problem, mutated, e.Payload)
				}
			}
			if t.Failed() && told[m.name] > 200 {
				t.Fatal("and so on")
			}
		}
	}
	for _, name := range []string{"as it is", "somebody else's"} {
		if told[name] < 1000 {
			t.Errorf("%s: only %d emissions", name, told[name])
		}
	}
	t.Logf("%d notifications, %d of them different; emissions by mutation: %v", sent, len(messages), told)
}

// leak says what is wrong with an emission, "" if nothing is.
func leak(n *event.Notification, m *mutation, e said, named map[string]bool) string {
	scope, rest, _ := strings.Cut(e.Channel, "/")
	if scope == "admin" {
		if e.refused != nil {
			return "the router refuses it: " + e.refused.Error()
		}
		return ""
	}
	id, topic, _ := strings.Cut(rest, "/")
	owner := map[string]string{"project": n.Project, "user": n.User}[scope]
	switch {
	case id == "" || topic == "" || strings.Contains(topic, "/"):
		return "it goes to " + e.Channel
	case id != owner:
		return fmt.Sprintf("it goes to %s, but the owner is %q", e.Channel, owner)
	case m.any == "" && id != m.only:
		return fmt.Sprintf("it goes to %s, and may go to %q", e.Channel, m.only)
	case !named[scope+"/"+id]:
		return fmt.Sprintf("it goes to %s, which the message nowhere calls an owner", e.Channel)
	case e.refused != nil:
		return "the router refuses it: " + e.refused.Error()
	case bytes.Contains(e.Payload, []byte(canary)) || strings.Contains(e.Key, canary):
		return "it tells " + e.Channel + " what is for admins"
	}
	return adminMember(e.Payload)
}

// adminMember names a member of a payload that is for admins only.
func adminMember(payload []byte) string {
	var v any
	if err := json.Unmarshal(payload, &v); err != nil {
		return err.Error()
	}
	found := ""
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if slices.Contains(secretMembers, name) || strings.HasPrefix(name, "OS-EXT-SRV-ATTR:") || strings.HasPrefix(name, "provider:") {
					found = "it has the member " + name + ", which is for admins"
				}
				walk(member)
			}
		case []any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(v)
	return found
}

// owners are whom a message's payload calls an owner anywhere, as `project/<id>`
// and `user/<id>`.
func owners(message []byte) map[string]bool {
	var inner struct{ Payload any }
	found := map[string]bool{}
	if json.Unmarshal(message, &inner) != nil {
		return found
	}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				if text, ok := member.(string); ok && ownerMembers[name] != "" {
					found[ownerMembers[name]+"/"+text] = true
				} else if !actors[name] {
					walk(member)
				}
			}
		case []any:
			for _, member := range v {
				walk(member)
			}
		}
	}
	walk(inner.Payload)
	return found
}

// renewed gives a message's resource an id that no plugin remembers.
func renewed(t *testing.T, message []byte, fresh string) []byte {
	var n event.Notification
	if err := decoder.Decode(&n, message, ""); err != nil || len(n.Resource) < 16 {
		return message
	}
	escaped, err := json.Marshal(fresh)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(n.Raw(), []byte(n.Resource), escaped[1:len(escaped)-1])
}

// sample is at most so many messages of each event type.
func sample(t *testing.T, messages [][]byte, each int) (some [][]byte) {
	t.Helper()
	count := map[string]int{}
	for _, m := range messages {
		var n event.Notification
		if err := decoder.Decode(&n, m, ""); err != nil {
			t.Fatal(err)
		}
		if count[n.Type]++; count[n.Type] <= each {
			some = append(some, m)
		}
	}
	return some
}
