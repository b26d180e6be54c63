// Package event holds what every stage of the pipeline agrees on: the
// notification as it travels, the names of the channels it can end up on, and what
// an operator may grant.
//
// In: the inner JSON object of a notification, taken out of its envelope or as it
// stands there. Out: its fields, and parsed channel names. Callers: oslo fills a
// Notification, plugin reads it, auth judges it, hub and server carry channel names.
package event
