package event

import (
	"fmt"
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
)

// ParseGrants reads the `grants` list of a [plugin.X] table.
//
// # Errors
//
// A name that is not a grant; all such names are listed.
func ParseGrants(names []string) (Grants, error) {
	var grants Grants
	var unknown []string
	for _, name := range names {
		switch name {
		case "admin":
			grants |= GrantAdmin
		case "cross_project":
			grants |= GrantCrossProject
		default:
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if unknown != nil {
		return 0, fmt.Errorf(`unknown grant %s; there are "admin" and "cross_project"`, strings.Join(unknown, ", "))
	}
	return grants, nil
}

// Names lists the grants as the configuration spells them.
func (g Grants) Names() []string {
	var names []string
	if g&GrantAdmin != 0 {
		names = append(names, "admin")
	}
	if g&GrantCrossProject != 0 {
		names = append(names, "cross_project")
	}
	return names
}
