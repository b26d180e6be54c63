package server

import (
	"fmt"
	"strings"

	"horizon-realtime/router/event"
)

// pattern is channels as the configuration names them: a channel, in which *
// stands for any id or any topic, such as "project/*/instances".
type pattern []string

func newPattern(s string) pattern { return strings.Split(s, "/") }

func (p pattern) matches(channel string) bool {
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
type patterns []pattern

func newPatterns(list []string) (all patterns) {
	for _, s := range list {
		all = append(all, newPattern(s))
	}
	return all
}

func (all patterns) match(channel string) bool {
	for _, p := range all {
		if p.matches(channel) {
			return true
		}
	}
	return false
}

// validatePattern says what is wrong with a pattern under a key of [server].
func validatePattern(key, s string) error {
	// An id can be anything that a channel's can.
	if _, err := event.ParsePattern(strings.Replace(s, "/*/", "/id/", 1)); err != nil {
		return fmt.Errorf(`[server] %s: %q: a channel, with * for any id or topic, such as "project/*/instances"`, key, s)
	}
	return nil
}
