package event

import (
	"fmt"
	"slices"
	"strings"
)

// Grants are what an operator allows a plugin beyond the channels of a
// notification's owner, as a set of bits. The zero value is what a plugin has by
// default: nothing. What each one permits is decided in auth.MayEmit.
type Grants uint8

const (
	// GrantAdmin, "admin": emit to admin/*.
	GrantAdmin Grants = 1 << iota
	// GrantCrossProject, "cross_project": emit to projects and users that do
	// not own the resource, and to public/*.
	GrantCrossProject
	// GrantShared, "shared": keep one memory and one store for all projects. With
	// it the operator vouches for what the plugin carries from one to another.
	GrantShared
	// GrantStop, "stop": keep a notification from the plugins that come later.
	GrantStop
)

// grantNames are the grants as the configuration spells them, by bit.
var grantNames = []string{"admin", "cross_project", "shared", "stop"}

// ParseGrants reads the `grants` list of a [plugin.X] table.
//
// # Errors
//
// A name that is not a grant; all such names are listed.
func ParseGrants(names []string) (Grants, error) {
	var grants Grants
	var unknown []string
	for _, name := range names {
		if bit := slices.Index(grantNames, name); bit >= 0 {
			grants |= 1 << bit
		} else {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if unknown != nil {
		return 0, fmt.Errorf(`unknown grant %s; there are %s`, strings.Join(unknown, ", "), strings.Join(grantNames, ", "))
	}
	return grants, nil
}

// Names lists the grants as the configuration spells them.
func (g Grants) Names() []string {
	var names []string
	for bit, name := range grantNames {
		if g&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// AnyTopic in a Permit's Topics stands for all of them.
const AnyTopic = "*"

// Permit is what an operator allows a plugin. It does not change.
type Permit struct {
	Grants Grants
	// Topics are the last segments of the channels that it may emit to, so that
	// no plugin sends what looks like another's.
	Topics []string
}

// Topic reports whether the plugin may emit to channels of that topic.
func (p *Permit) Topic(topic string) bool {
	return slices.Contains(p.Topics, topic) || slices.Contains(p.Topics, AnyTopic)
}

// And is what both permits allow.
func (p *Permit) And(other *Permit) *Permit {
	both := &Permit{Grants: p.Grants & other.Grants}
	for _, topic := range p.Topics {
		if topic == AnyTopic {
			both.Topics = append(both.Topics, other.Topics...)
		} else if other.Topic(topic) {
			both.Topics = append(both.Topics, topic)
		}
	}
	return both
}
