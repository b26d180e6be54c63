package session

import (
	"fmt"
	"strings"

	"horizon-realtime/router/event"
)

// Pattern is channels as the configuration names them: a channel, in which *
// stands for any id or any topic, such as "project/*/instances".
type Pattern []string

// NewPattern splits a pattern that ValidatePattern accepts.
func NewPattern(s string) Pattern { return strings.Split(s, "/") }

// Matches reports whether a channel is one of those meant.
func (p Pattern) Matches(channel string) bool {
	rest, more := channel, true
	for _, want := range p {
		if !more {
			return false
		}
		var is string
		is, rest, more = strings.Cut(rest, "/")
		if want != "*" && want != is {
			return false
		}
	}
	return !more
}

// patterns is a list of them.
type patterns []Pattern

func newPatterns(list []string) (all patterns) {
	for _, s := range list {
		all = append(all, NewPattern(s))
	}
	return all
}

func (all patterns) match(channel string) bool {
	for _, p := range all {
		if p.Matches(channel) {
			return true
		}
	}
	return false
}

// ValidatePattern checks a pattern under a key of [server].
//
// # Errors
//
// The pattern is not a channel with * for an id or a topic.
func ValidatePattern(key, s string) error {
	// An id can be anything that a channel's can.
	if _, err := event.ParsePattern(strings.Replace(s, "/*/", "/id/", 1)); err != nil {
		return fmt.Errorf(`[server] %s: %q: a channel, with * for any id or topic, such as "project/*/instances"`, key, s)
	}
	return nil
}
