package event

import (
	"errors"
	"fmt"
	"strings"
)

// Scope is the first segment of a channel: who its events belong to.
type Scope uint8

// The four scopes. Project and User channels carry the owner's id in their
// second segment; Admin and Public channels have none.
const (
	ScopeNone Scope = iota
	ScopeProject
	ScopeUser
	ScopeAdmin
	ScopePublic
)

// String gives the segment as it is spelled in a channel.
func (s Scope) String() string {
	switch s {
	case ScopeProject:
		return "project"
	case ScopeUser:
		return "user"
	case ScopeAdmin:
		return "admin"
	case ScopePublic:
		return "public"
	}
	return "none"
}

// maxSegment bounds an id or a topic, in bytes. Keystone's longest ids are the
// 64 hexadecimal digits of a user that comes from LDAP.
const maxSegment = 64

// ErrChannel is wrapped by every refusal of ParseChannel and ParsePattern.
var ErrChannel = errors.New("bad channel")

// Channel is a parsed channel name: `project/<id>/<topic>`, `user/<id>/<topic>`,
// `admin/<topic>` or `public/<topic>`. It is a value, safe to copy and compare.
type Channel struct {
	Scope Scope
	// ID is the project's or the user's id; empty in the other scopes.
	ID string
	// Topic is the last segment, `*` in a wildcard subscription.
	Topic string
	// Name is the whole channel as it was spelled, which is its only spelling.
	Name string
}

// Wildcard reports whether the channel is a subscription to all of its group's
// topics.
func (c Channel) Wildcard() bool { return c.Topic == "*" }

// Group is the part of the name that a wildcard fixes: `project/<id>`,
// `user/<id>`, `admin` or `public`. All channels of a group share one order.
func (c Channel) Group() string { return c.Name[:len(c.Name)-len(c.Topic)-1] }

// ParseChannel reads the name of one concrete channel, something that can be
// published to. There is exactly one spelling of each: ids are made of
// `A-Z a-z 0-9 _ -`, topics of `a-z 0-9 _ -`, each 1 to 64 bytes long.
//
// # Errors
//
// Every refusal wraps ErrChannel.
func ParseChannel(name string) (Channel, error) {
	c, err := ParsePattern(name)
	if err == nil && c.Wildcard() {
		return Channel{}, fmt.Errorf("%w: a wildcard stands for several channels", ErrChannel)
	}
	return c, err
}

// ParsePattern reads what a client can subscribe to: a concrete channel, or a
// group followed by `/*`.
//
// # Errors
//
// Every refusal wraps ErrChannel.
func ParsePattern(name string) (Channel, error) {
	first, rest, _ := strings.Cut(name, "/")
	c := Channel{Name: name}
	switch first {
	case "project":
		c.Scope = ScopeProject
	case "user":
		c.Scope = ScopeUser
	case "admin":
		c.Scope = ScopeAdmin
	case "public":
		c.Scope = ScopePublic
	default:
		return Channel{}, fmt.Errorf("%w: it starts with project/, user/, admin/ or public/", ErrChannel)
	}
	c.Topic = rest
	if c.Scope == ScopeProject || c.Scope == ScopeUser {
		c.ID, c.Topic, _ = strings.Cut(rest, "/")
		if !isSegment(c.ID, true) {
			return Channel{}, fmt.Errorf("%w: an id has 1 to %d characters of A-Z a-z 0-9 _ -", ErrChannel, maxSegment)
		}
	}
	if c.Topic != "*" && !isSegment(c.Topic, false) {
		return Channel{}, fmt.Errorf("%w: a topic has 1 to %d characters of a-z 0-9 _ -", ErrChannel, maxSegment)
	}
	return c, nil
}

// IsID reports whether a string can be the id of a project or a user in a channel.
func IsID(s string) bool { return isSegment(s, true) }

func isSegment(s string, upper bool) bool {
	if len(s) == 0 || len(s) > maxSegment {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', '0' <= b && b <= '9', b == '_', b == '-':
		case upper && 'A' <= b && b <= 'Z':
		default:
			return false
		}
	}
	return true
}
