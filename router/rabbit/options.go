package rabbit

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options are what the query of a rabbit:// URL asks for: options of oslo.messaging's
// driver (its impl_rabbit.py), by their names there. The zero value asks for nothing.
type options struct {
	tls, noTLS                bool // ssl
	caFile, certFile, keyFile string
	onlyTLS12                 bool // ssl_version
	heartbeat                 time.Duration
}

// ofServices are the options that concern only how a service publishes and what it
// declares, or how its driver uses threads and connections. They are accepted, and
// mean nothing here.
var ofServices = []string{
	"amqp_auto_delete", "amqp_durable_queues", "conn_pool_min_size", "conn_pool_ttl", "direct_mandatory_flag",
	"enable_cancel_on_failover", "heartbeat_in_pthread", "heartbeat_rate", "hostname", "kombu_compression",
	"kombu_failover_strategy", "kombu_missing_consumer_retry_timeout", "kombu_reconnect_delay", "kombu_reconnect_splay",
	"processname", "rabbit_ha_queues", "rabbit_interval_max", "rabbit_qos_prefetch_count", "rabbit_quorum_delivery_limit",
	"rabbit_quorum_max_memory_bytes", "rabbit_quorum_max_memory_length", "rabbit_quorum_queue",
	"rabbit_quroum_max_memory_bytes", "rabbit_quroum_max_memory_length", "rabbit_retry_backoff", "rabbit_retry_interval",
	"rabbit_stream_fanout", "rabbit_transient_queues_ttl", "rabbit_transient_quorum_queue", "rpc_conn_pool_size",
	"use_queue_manager",
}

// parseOptions reads a query.
//
// # Errors
//
// An option that is not known, is there twice, or asks for what is not done. They
// name it, and never show a value.
func parseOptions(query string) (options, error) {
	var o options
	if query == "" {
		return o, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil || strings.Contains(query, "#") {
		return o, errors.New("its query is not percent-encoded" + notEscaped)
	}
	for name, given := range values {
		if len(given) > 1 {
			return o, errors.New("an option of its query is there twice")
		}
		if err := o.set(name, given[0]); err != nil {
			return o, err
		}
	}
	switch {
	case (o.certFile == "") != (o.keyFile == ""):
		return o, errors.New("its options ssl_cert_file and ssl_key_file go together; set both or none")
	case o.noTLS && (o.caFile != "" || o.certFile != "" || o.onlyTLS12):
		return o, errors.New("its option ssl is off, and others are about TLS; remove one or the other")
	}
	return o, nil
}

func (o *options) set(name, value string) error {
	switch name {
	case "ssl":
		on, err := parseBool(name, value)
		o.tls, o.noTLS = on, !on
		return err
	case "ssl_ca_file":
		o.caFile = value
	case "ssl_cert_file":
		o.certFile = value
	case "ssl_key_file":
		o.keyFile = value
	case "ssl_version":
		switch strings.ToLower(value) {
		case "", "sslv23": // whatever both ends can do
		case "tlsv1_2":
			o.onlyTLS12 = true
		default:
			return errors.New("its option ssl_version asks for a version that is not spoken; leave it out, or set TLSv1_2")
		}
	case "ssl_enforce_hostname_verification":
		if on, err := parseBool(name, value); err != nil || !on {
			return errors.New("its option ssl_enforce_hostname_verification cannot be off: the broker's name is always verified; for another name set server_name in [amqp.tls]")
		}
	case "ssl_enforce_fips_mode":
		if on, err := parseBool(name, value); err != nil || on {
			return errors.New("its option ssl_enforce_fips_mode is not possible here; run the router with GODEBUG=fips140=only, and leave the option out")
		}
	case "rabbit_login_method":
		if !slices.Contains([]string{"PLAIN", "AMQPLAIN"}, value) {
			return errors.New("its option rabbit_login_method is neither PLAIN nor AMQPLAIN; the router proves who it is with a user and password")
		}
	case "heartbeat", "heartbeat_timeout_threshold":
		seconds, err := strconv.Atoi(value)
		o.heartbeat = time.Duration(seconds) * time.Second
		if err != nil || o.heartbeat < minHeartbeat || o.heartbeat > maxHeartbeat {
			return fmt.Errorf("its option %s is not between %d and %d seconds", name, minHeartbeat/time.Second, maxHeartbeat/time.Second)
		}
	default:
		if !slices.Contains(ofServices, name) {
			return errors.New("its query has an option that oslo.messaging's driver does not have" + shown(name))
		}
	}
	return nil
}

// shown is an option's name, unless it may be part of a password with a question mark.
func shown(name string) string {
	if len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" || !strings.Contains(name, "_") {
		return notEscaped
	}
	return ": " + name
}

// parseBool takes what oslo.config takes.
func parseBool(name, value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1", "on", "yes":
		return true, nil
	case "false", "0", "off", "no":
		return false, nil
	}
	return false, fmt.Errorf("its option %s is neither 1 nor 0", name)
}
