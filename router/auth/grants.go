package auth

import (
	"fmt"
	"strings"
)

// Grants are what an operator allows a filter beyond the owner's channels, a set
// of bits. The zero value is what a filter has by default: nothing.
type Grants uint8

// The grants there are.
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
// A name that is not a grant; all of them are named at once.
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
		return 0, fmt.Errorf("no such grant: %s; there are admin and cross_project", strings.Join(unknown, ", "))
	}
	return grants, nil
}

// String lists the names, joined by commas.
func (g Grants) String() string {
	var names []string
	if g&GrantAdmin != 0 {
		names = append(names, "admin")
	}
	if g&GrantCrossProject != 0 {
		names = append(names, "cross_project")
	}
	return strings.Join(names, ",")
}
