package session

import (
	"bytes"

	"horizon-realtime/router/wire"
)

// Handle does the commands of one frame, in order. When it returns they have
// been answered, except for what the hub answers. A frame without any counts as
// one.
func (s *Session) Handle(frame []byte) {
	s.commands.Lock()
	defer s.commands.Unlock()
	if len(bytes.TrimSpace(frame)) == 0 {
		s.Permit()
		return
	}
	for line := range bytes.SplitSeq(frame, []byte{'\n'}) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if s.is(closed) {
			return
		}
		s.command(line)
	}
}

func (s *Session) command(line []byte) {
	if !s.Permit() {
		return
	}
	c, err := wire.ParseCommand(line)
	if err != nil {
		s.shared.log.Debug("refused a command", "client", s.id, "error", err)
		s.Close(wire.BadRequest)
		return
	}
	method := c.Method()
	s.shared.commands.WithLabelValues(method).Inc()
	// Connect comes first, and nothing comes after one that was refused.
	wanted := connected
	if method == "connect" {
		wanted = opened
	}
	if !s.is(wanted) {
		s.Close(wire.BadRequest)
		return
	}
	switch method {
	case "connect":
		s.connect(c.ID, c.Connect)
	case "subscribe":
		s.subscribe(c.ID, c.Subscribe)
	case "unsubscribe":
		s.unsubscribe(c.ID, c.Unsubscribe.Channel)
	case "refresh":
		s.refresh(c.ID, c.Refresh.Token)
	case "sub_refresh":
		s.subRefresh(c.ID, c.SubRefresh.Channel)
	case "history":
		s.queryHistory(c.ID, c.History)
	case "presence":
		s.queryPresence(c.ID, c.Presence.Channel, wire.PresenceReply)
	case "presence_stats":
		s.queryPresence(c.ID, c.PresenceStats.Channel, wire.PresenceStatsReply)
	case "ping":
		s.send(wire.EmptyReply(c.ID, "ping"))
	case "pong":
		s.pong()
	case "not_available":
		if c.ID != 0 { // a `send` has none, and no answer
			s.refuse(c.ID, wire.ErrNotAvailable)
		}
	default:
		s.refuse(c.ID, wire.ErrMethodNotFound)
	}
}
