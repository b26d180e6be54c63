package panel

import (
	"strings"

	"horizon-realtime/sdk"
)

// Unplaced reads what nova's conductor says if it found no place for a server,
// to build it or to move it to: compute_task.*, in both formats. The server's own
// notifications do not say why. The reason is empty if a tenant may not read it.
func Unplaced(e *Event) (id string, state sdk.Value, reason string) {
	const data = "/payload/nova_object.data/"
	if id = e.Field(data + "instance_uuid").Text(); id != "" {
		return id, e.Field(data + "state"), Exception(e, data+"reason/nova_object.data/")
	}
	// Only nova's own exceptions have kwargs, and a message for tenants.
	if text := e.Field("/payload/reason").Text(); strings.HasPrefix(text, "{'kwargs': ") {
		reason = Sentence(pythonMember(text, "message"))
	}
	return e.Field("/payload/instance_id").Text(), e.Field("/payload/state"), reason
}

// Unbacked reads why cinder's scheduler found no backend for a volume, which
// only it tells: scheduler.create_volume.
func Unbacked(e *Event) (reason string) {
	return Sentence(exceptionText(e.Field("/payload/reason").Text()))
}

// pythonMember finds a string in what Python's repr makes of a dict, which is how
// the legacy format carries an exception:
//
//	{'kwargs': {'reason': '', 'code': 500}, 'message': 'No valid host was found. ', 'class': 'NoValidHost_Remote'}
//
// The last member of that name counts: the outer one comes after those of kwargs.
func pythonMember(text, name string) string {
	i := strings.LastIndex(text, "'"+name+"': ")
	if i < 0 {
		return ""
	}
	text = text[i+len(name)+4:]
	if text == "" || text[0] != '\'' && text[0] != '"' {
		return ""
	}
	var decoded []byte
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			return string(decoded)
		case c != '\\' || i+1 == len(text):
			decoded = append(decoded, c)
		default:
			i++
			if c = text[i]; c == 'n' {
				c = '\n'
			}
			decoded = append(decoded, c)
		}
	}
	return ""
}

// exceptionText takes what a tenant may read out of an exception as Python's repr
// spells it: NoValidBackend('No valid backend was found.'). Of any other, which
// can tell of the cloud's inside, that is its class.
func exceptionText(repr string) string {
	class, rest, _ := strings.Cut(repr, "(")
	if class == "NoValidBackend" && len(rest) > 2 && (rest[0] == '\'' || rest[0] == '"') {
		if end := strings.LastIndexByte(rest, rest[0]); end > 0 {
			return rest[1:end]
		}
	}
	return class
}
