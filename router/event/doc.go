// Package event holds what every stage of the pipeline agrees on: the
// notification as it travels, the JSON index its fields are read from, and the
// names of the channels it can end up on.
//
// In: the inner JSON object of a notification, taken out of its envelope or as it
// stands there. Out: fields by JSON Pointer without decoding the whole message, and
// parsed channel names. Callers: oslo fills a Notification, plugin reads it,
// auth judges it, hub and server carry channel names. The package imports
// nothing of this module.
package event
