package server

import "fmt"

// policy is what happens to a channel's publications when a client is behind.
type policy uint8

const (
	disconnectSlow policy = iota
	dropOldest
	conflate
)

// policies are their names in the configuration.
var policies = map[string]policy{"disconnect": disconnectSlow, "drop-oldest": dropOldest, "conflate": conflate}

// SlowChannel is an entry of [server] slow_channels.
type SlowChannel struct {
	// Pattern is a channel, in which * stands for any id or any topic, such as
	// "project/*/instances".
	Pattern string `toml:"pattern"`
	// Policy is as Config.Slow.
	Policy string `toml:"policy"`
}

// rules tells the policy of each channel: the first that matches, or the rest's.
type rules struct {
	list []rule
	rest policy
}

type rule struct {
	pattern pattern
	policy  policy
}

func newRules(cfg Config) rules {
	r := rules{rest: policies[cfg.Slow]}
	for _, c := range cfg.SlowChannels {
		r.list = append(r.list, rule{newPattern(c.Pattern), policies[c.Policy]})
	}
	return r
}

// lossy tells whether any channel's publications may be dropped.
func (r *rules) lossy() bool { return r.rest != disconnectSlow || len(r.list) > 0 }

func (r *rules) of(channel string) policy {
	for i := range r.list {
		if r.list[i].pattern.matches(channel) {
			return r.list[i].policy
		}
	}
	return r.rest
}

// validate says what is wrong with an entry of [server] slow_channels.
func (c SlowChannel) validate() error {
	if _, ok := policies[c.Policy]; !ok {
		return fmt.Errorf(`[server] slow_channels: policy = %q: it is "disconnect", "drop-oldest" or "conflate"`, c.Policy)
	}
	return validatePattern("slow_channels", c.Pattern)
}
