// Package json reads JSON without decoding it: a text is checked and indexed once,
// and a member, or the value at a JSON Pointer, is then found in the index.
//
// In: the text of a notification, as it stands or quoted in its envelope, or of what
// a plugin emits. Out: a Document, whose values are read by their text, or why the
// text is no JSON. Callers: event's Notification is a Document; oslo blanks secrets
// in it; plugin reads wanted fields and checks payloads. The package imports nothing
// of this module.
package json
