// Package demo is a small simulated cloud and the page that watches it.
//
// Out: notifications, byte for byte in the form in which nova, cinder, neutron
// and glance publish them, handed to a publish function that stands where
// RabbitMQ's consumer stands otherwise; and an http.Handler that serves the
// page /project/instances with buttons to launch, suspend, resume and delete.
// In: clicks on these buttons. Everything between, from decoding to the
// browser's connection, is the router's own. Caller: the command `demo`.
package demo
