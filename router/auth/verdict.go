package auth

import "horizon-realtime/router/event"

// maxChannels bounds the channel names that a Judge keeps at hand.
const maxChannels = 16384

// Judge decides where emissions may go, and keeps the channels that it has
// parsed. Its zero value is ready; one goroutine at a time may use it.
type Judge struct{ channels map[string]event.Channel }

// Verdict parses the channel that a plugin with this permit wants to send to, and
// reports whether it may, with what it made of n. It allocates nothing for a name
// it has seen lately.
//
// # Errors
//
// event.ErrChannel, OtherTopic, or a Refusal by MayEmit.
func (j *Judge) Verdict(permit *event.Permit, n *event.Notification, name []byte) (event.Channel, error) {
	ch, ok := j.channels[string(name)]
	if !ok {
		var err error
		if ch, err = event.ParseChannel(string(name)); err != nil {
			return event.Channel{}, err
		}
		if j.channels == nil || len(j.channels) == maxChannels {
			j.channels = map[string]event.Channel{}
		}
		j.channels[ch.Name] = ch
	}
	if !permit.Topic(ch.Topic) {
		return event.Channel{}, OtherTopic
	}
	if err := MayEmit(permit.Grants, n, ch); err != nil {
		return event.Channel{}, err
	}
	return ch, nil
}
