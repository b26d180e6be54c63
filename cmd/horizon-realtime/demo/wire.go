package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// Publish takes one notification as a service hands it to its broker: body is
// the message's body, an oslo.messaging envelope.
type Publish func(exchange, routingKey string, body []byte) error

// Format is nova's option [notifications] notification_format.
type Format string

// The formats. Unversioned is nova's default, and says least; Both tells each
// change twice.
const (
	Unversioned Format = "unversioned"
	Versioned   Format = "versioned"
	Both        Format = "both"
)

// message is a notification on its way out.
type message struct {
	exchange, routingKey string
	project              string // the owner's name, "" for none
	body                 []byte
}

// notification is the inner object, in oslo.messaging's order. The members of
// the context follow it in the same object.
type notification struct {
	MessageID   string `json:"message_id"`
	PublisherID string `json:"publisher_id"`
	EventType   string `json:"event_type"`
	Priority    string `json:"priority"`
	Payload     any    `json:"payload"`
	Timestamp   string `json:"timestamp"`
	UniqueID    string `json:"_unique_id"`
	*requestContext
}

// requestContext is what nova's RequestContext adds to each notification.
type requestContext struct {
	User            string   `json:"_context_user"`
	ProjectID       string   `json:"_context_project_id"`
	SystemScope     *string  `json:"_context_system_scope"`
	Project         string   `json:"_context_project"`
	Domain          *string  `json:"_context_domain"`
	UserDomain      string   `json:"_context_user_domain"`
	ProjectDomain   string   `json:"_context_project_domain"`
	IsAdmin         bool     `json:"_context_is_admin"`
	ReadOnly        bool     `json:"_context_read_only"`
	ShowDeleted     bool     `json:"_context_show_deleted"`
	AuthToken       *string  `json:"_context_auth_token"`
	RequestID       string   `json:"_context_request_id"`
	GlobalRequestID *string  `json:"_context_global_request_id"`
	ResourceUUID    *string  `json:"_context_resource_uuid"`
	Roles           []string `json:"_context_roles"`
	UserIdentity    string   `json:"_context_user_identity"`
	IsAdminProject  bool     `json:"_context_is_admin_project"`
	UserID          string   `json:"_context_user_id"`
	ReadDeleted     string   `json:"_context_read_deleted"`
	RemoteAddress   *string  `json:"_context_remote_address"`
	Timestamp       string   `json:"_context_timestamp"`
	QuotaClass      *string  `json:"_context_quota_class"`
	UserName        string   `json:"_context_user_name"`
	ServiceCatalog  []string `json:"_context_service_catalog"`
	ProjectName     string   `json:"_context_project_name"`
}

// newContext is the context of request, made by the project's own user. Some of
// nova-compute's steps elevate it: the request is still the user's.
func newContext(p *Project, request string, elevated bool, at time.Time) *requestContext {
	roles := []string{"reader", "member"}
	if elevated {
		roles = append(roles, "admin")
	}
	return &requestContext{
		User: p.User.ID, ProjectID: p.ID, Project: p.ID, UserDomain: "default", ProjectDomain: "default",
		IsAdmin: elevated, RequestID: request, Roles: roles,
		UserIdentity:   p.User.ID + " " + p.ID + " - default default",
		IsAdminProject: true, UserID: p.User.ID, ReadDeleted: "no",
		Timestamp: at.UTC().Format("2006-01-02T15:04:05.000000"),
		UserName:  p.User.Name, ServiceCatalog: []string{}, ProjectName: p.Name,
	}
}

// seal puts n into oslo.messaging's envelope 2.0: the inner object is a string
// of JSON inside JSON.
func seal(n *notification, at time.Time) ([]byte, error) {
	n.MessageID = newUUID()
	n.UniqueID = newHex(16)
	n.Timestamp = at.UTC().Format("2006-01-02 15:04:05.000000")
	inner, err := pythonJSON(n)
	if err != nil {
		return nil, fmt.Errorf("write the notification %s: %w", n.EventType, err)
	}
	body, err := pythonJSON(struct {
		Version string `json:"oslo.version"`
		Message string `json:"oslo.message"`
	}{"2.0", string(inner)})
	if err != nil {
		return nil, fmt.Errorf("write the envelope of %s: %w", n.EventType, err)
	}
	return body, nil
}

// pythonJSON writes v as Python's json.dumps does: a space after each comma and
// colon, and everything outside ASCII escaped.
func pythonJSON(v any) ([]byte, error) {
	var compact bytes.Buffer
	encoder := json.NewEncoder(&compact)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	text := bytes.TrimSuffix(compact.Bytes(), []byte("\n"))
	out := make([]byte, 0, len(text)+len(text)/8)
	inString := false
	for i := 0; i < len(text); {
		b := text[i]
		switch {
		case b >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(text[i:])
			i += size
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
			} else {
				out = fmt.Appendf(out, `\u%04x`, r)
			}
			continue
		case b == '\\': // an escape, copied whole so that \" does not end the string
			out = append(out, b, text[i+1])
			i += 2
			continue
		case b == '"':
			inString = !inString
		case !inString && (b == ',' || b == ':'):
			out = append(out, b)
			b = ' '
		}
		out = append(out, b)
		i++
	}
	return out, nil
}
