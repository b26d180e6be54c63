package rabbit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// closeTimeout bounds closing a connection in good order.
const closeTimeout = 2 * time.Second

// frameSize is what RabbitMQ offers by default.
const frameSize = 128 << 10

// link is an AMQP connection and its socket. Closing the socket ends every call
// that waits for the broker.
type link struct {
	*amqp.Connection
	socket net.Conn
}

// within calls do, and closes the socket if ctx ends or the limit passes before do
// returns: the client library's own calls wait for ever.
func (l link) within(ctx context.Context, limit time.Duration, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { l.socket.Close() })
	err := do()
	if !stop() && err != nil {
		return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	return err
}

func (l link) close() {
	// It is over in any case; RabbitMQ notices a closed socket too.
	_ = l.CloseDeadline(time.Now().Add(closeTimeout))
	l.socket.Close()
}

// dial connects to one host of a broker, with a handshake of at most limit.
func dial(ctx context.Context, t target, h host) (link, error) {
	cfg := t.cfg
	ctx, cancel := context.WithTimeout(ctx, cfg.SetupTimeout)
	defer cancel()
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", h.addr)
	if err != nil {
		return link{}, fmt.Errorf("connect: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { socket.Close() })
	defer stop()
	transport := socket
	if t.tls != nil {
		own := t.tls.Clone()
		if own.ServerName == "" {
			own.ServerName = h.name
		}
		secured := tls.Client(socket, own)
		if err := secured.HandshakeContext(ctx); err != nil {
			socket.Close()
			return link{}, fmt.Errorf("tls handshake with %s: %w%s", h.addr, err, wayOut(err, true))
		}
		transport = secured
	}
	properties := amqp.NewConnectionProperties()
	properties["product"] = "horizon-realtime"
	properties["connection_name"] = connectionName(cfg.Group)
	conn, err := amqp.Open(transport, amqp.Config{
		SASL:       []amqp.Authentication{&amqp.PlainAuth{Username: h.user, Password: h.password}},
		Vhost:      t.vhost,
		Heartbeat:  cfg.Heartbeat,
		FrameSize:  frameSize,
		Locale:     "en_US",
		Properties: properties,
	})
	if err != nil {
		socket.Close()
		return link{}, fmt.Errorf("amqp handshake with %s as user %s: %w%s", h.addr, h.user, err, wayOut(err, t.tls != nil))
	}
	if !stop() {
		socket.Close()
		return link{}, fmt.Errorf("amqp handshake with %s: %w", h.addr, ctx.Err())
	}
	return link{conn, socket}, nil
}

// wayOut says what to do about a handshake that failed.
func wayOut(err error, overTLS bool) string {
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		return "; name the authority with ca_file in [amqp.tls], or ssl_ca_file in the URL"
	case errors.As(err, &record):
		return "; this port does not speak TLS"
	case !overTLS && (hasCode(err, amqp.FrameError) || hasCode(err, amqp.SyntaxError) || errors.Is(err, io.EOF)):
		return "; does this port want TLS? Then use amqps://, or rabbit://…?ssl=1"
	}
	return ""
}

// connectionName is what rabbitmqctl list_connections shows.
func connectionName(group string) string {
	name, err := os.Hostname()
	if err != nil {
		name = "unknown"
	}
	return fmt.Sprintf("horizon-realtime %s@%s", group, name)
}

// hasCode reports whether the broker refused something with this reply code.
func hasCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}
