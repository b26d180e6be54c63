// Package rabbit takes the notifications off RabbitMQ without the cloud
// noticing, and publishes recorded ones for a replay.
//
// In: a broker's URL and the names of exchanges. Out: each notification as a
// Delivery, given to a Handler and acknowledged when the Delivery says so.
// The router makes one Consumer and runs it; the commands replay and doctor call
// Replay and Probe.
//
// # What it leaves alone
//
// Exchanges are looked up passively and never made (unless the operator sets
// declare), because a service's exchange carries its RPC too and wrong flags
// break the service. Nothing is read from a queue that is not ours:
// notifications.info and its like belong to other consumers. Bindings are
// <topic>.*, never #, so RPC is not copied.
//
// # What it makes
//
// On each broker, all of it bounded:
//
//	horizon-realtime.<group>.<hash>              the group's queue
//	horizon-realtime.<group>.dead-letter.<hash>  a queue and a fanout exchange, for rejected messages
//
// RabbitMQ deletes the first some time after the last router has gone, and of the
// second only what is in it, unless they are classic queues: a quorum queue would
// expire although something is put into it.
//
// The hash covers the queue's arguments and, for the first, its bindings: a
// changed configuration gets a new queue, not a refusal (406) or bindings that
// nobody remembers. If only the type has changed, the former queue is worked off and
// deleted. Whatever is deleted is unbound before, so that no publish fails.
//
// # What its user may do
//
// Config.Permissions gives the three patterns for rabbitmqctl
// set_permissions. With the default configuration they are
//
//	configure  ^horizon-realtime\.default\.
//	write      ^horizon-realtime\.default\.
//	read       ^(horizon-realtime\.default\..+|nova|neutron|openstack|…)$
//
// Such a user cannot read notifications.info, publish to a service, or make or
// delete anything of theirs. It could still bind # to an exchange it may read;
// topic permissions take that away too, one per exchange:
//
//	rabbitmqctl set_topic_permissions horizon-realtime nova '^$' '^(notifications|versioned_notifications)\.\*$'
//
// # Why not the client library's recovery
//
// amqp091-go can reconnect by itself since 1.13 (experimental). It replays
// declarations and consumers under the same Channel value, so delivery tags
// from before and after look alike and a late acknowledgement would settle
// somebody else's message; a passive declare and a missing exchange are not
// part of what it can replay; and it knows one host. So a Consumer makes a new
// connection, sets everything up again, and forgets the old deliveries.
package rabbit
