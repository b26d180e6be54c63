package rabbit

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// address is one broker: the hosts of a cluster, with the credentials for each.
type address struct {
	hosts []host
	vhost string
	tls   bool // amqps, which has no options
	options
}

type host struct {
	addr           string // host:port
	name           string // without the port
	user, password string
}

// String names the broker in logs and metrics, without its user and password:
// h1:5672,h2:5672/vhost.
func (a address) String() string {
	addrs := make([]string, len(a.hosts))
	for i, h := range a.hosts {
		addrs[i] = h.addr
	}
	return strings.Join(addrs, ",") + "/" + strings.TrimPrefix(a.vhost, "/")
}

// same reports whether two addresses are of one broker: its cluster may have got
// another host, and its user another password.
func (a address) same(b address) bool {
	return a.vhost == b.vhost && slices.ContainsFunc(a.hosts, func(h host) bool {
		return slices.ContainsFunc(b.hosts, func(other host) bool { return h.addr == other.addr })
	})
}

// notEscaped is said instead of what stands in the URL, which may be part of the
// password.
const notEscaped = "; in a user or password, write @ : / ? # % and , as %40 %3A %2F %3F %23 %25 and %2C"

// parseURL reads amqp://, amqps:// and oslo.messaging's rabbit:// URLs, whose
// host part may list several hosts, each with its user:password:
//
//	scheme://[user:password@]host[:port][,…]/vhost[?query]
//
// Hosts without a user take that of the host before them (oslo would drop it,
// and use guest). Only rabbit:// has a query: the options of oslo's driver. An
// empty vhost is "/".
//
// # Errors
//
// Never hold any part of the URL but its scheme.
func parseURL(raw string) (address, error) {
	var a address
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return a, errors.New("is no URL; it looks like amqp://user:password@host:5672/vhost")
	}
	port := "5672"
	switch scheme {
	case "amqp", "rabbit":
	case "amqps":
		a.tls, port = true, "5671"
	default:
		return a, unknownScheme(scheme)
	}
	if strings.ContainsFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return a, errors.New("holds a space or control character; percent-encode it")
	}
	rest, query, _ := strings.Cut(rest, "?")
	if query != "" && scheme != "rabbit" {
		return a, errors.New("has a query (?…), which only rabbit:// URLs have; set heartbeat, tls and the like in [amqp]" + notEscaped)
	}
	var err error
	if a.options, err = parseOptions(query); err != nil {
		return a, err
	}
	if a.options.tls {
		port = "5671" // as in kombu
	}
	netloc, path, _ := strings.Cut(rest, "/")
	if a.vhost, err = url.PathUnescape(path); err != nil || strings.Contains(rest, "#") {
		return a, errors.New("its vhost is not percent-encoded" + notEscaped)
	}
	if a.vhost == "" {
		a.vhost = "/"
	}
	previous := host{user: "guest", password: "guest"}
	for _, part := range strings.Split(netloc, ",") {
		if part == "" && scheme == "rabbit" {
			continue // as oslo does
		}
		h, err := parseHost(part, port, previous)
		if err != nil {
			return a, fmt.Errorf("host %d: %w", len(a.hosts)+1, err)
		}
		a.hosts = append(a.hosts, h)
		previous = h
	}
	if len(a.hosts) == 0 {
		return a, errors.New("names no host")
	}
	return a, nil
}

// unknownScheme says what is possible instead of another driver of oslo.messaging.
func unknownScheme(scheme string) error {
	switch driver, variant, _ := strings.Cut(scheme, "+"); {
	case (driver == "rabbit" || driver == "amqp") && variant != "" || scheme == "rabbits" || scheme == "pyamqp":
		return errors.New("scheme " + strings.ToLower(driver) + "… is not known; for TLS write amqps://…, or rabbit://…?ssl=1, and otherwise amqp:// or rabbit://")
	case slices.Contains([]string{"kafka", "amqp1", "zmq", "qpid", "pika", "fake"}, driver):
		return fmt.Errorf("scheme %s is another driver of oslo.messaging; the router listens to RabbitMQ only: "+
			"let the services send their notifications there, with transport_url = rabbit://… in [oslo_messaging_notifications]", driver)
	}
	if len(scheme) > 16 || strings.ContainsAny(scheme, "@:/") {
		scheme = "its"
	}
	return fmt.Errorf("scheme %s is not known; use amqp, amqps or rabbit", scheme)
}

func parseHost(part, port string, previous host) (host, error) {
	h := host{user: previous.user, password: previous.password}
	if i := strings.LastIndexByte(part, '@'); i >= 0 {
		user, password, _ := strings.Cut(part[:i], ":")
		var errUser, errPassword error
		h.user, errUser = url.PathUnescape(user)
		h.password, errPassword = url.PathUnescape(password)
		if errUser != nil || errPassword != nil {
			return h, errors.New("its user or password is not percent-encoded" + notEscaped)
		}
		part = part[i+1:]
	}
	name, given, hasPort := part, "", false
	if strings.HasPrefix(part, "[") {
		inside, after, ok := strings.Cut(part[1:], "]")
		if !ok || net.ParseIP(inside) == nil || (after != "" && after[0] != ':') {
			return h, errors.New("is not an IPv6 address in brackets")
		}
		name = inside
		given, hasPort = strings.CutPrefix(after, ":")
	} else {
		name, given, hasPort = strings.Cut(part, ":")
		if name == "" || strings.ContainsAny(name, "[]@%") {
			return h, errors.New("has no valid host name" + notEscaped)
		}
	}
	if hasPort && given != "" {
		n, err := strconv.ParseUint(given, 10, 16)
		if err != nil || n == 0 {
			return h, errors.New("its port is not a number from 1 to 65535" + notEscaped)
		}
		port = strconv.FormatUint(n, 10)
	}
	h.name, h.addr = name, net.JoinHostPort(name, port)
	return h, nil
}
