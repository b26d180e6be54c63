package rabbit_test

import (
	"errors"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"horizon-realtime/router/rabbit"
	"horizon-realtime/router/testwait"
)

// With the permissions of the package's documentation everything works, and
// nothing else does.
func TestLeastPrivilege(t *testing.T) {
	cfg := testConfig(t)
	nova := cfg.Exchanges[0]
	b := dial(t, node.URL())
	b.exchange(nova, false)
	if _, err := b.QueueDeclare("notifications.info", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	ctl(t, "add_user", "least", "pass@word")
	t.Cleanup(func() { ctl(t, "delete_user", "least") })
	cfg.URLs = []string{node.URLFor("least", "pass%40word")}

	t.Run("none", func(t *testing.T) {
		ctl(t, "set_permissions", "least", "^$", "^$", "^$")
		p := cfg.Permissions()
		c := consume(t, cfg, func(d *rabbit.Delivery) { d.Ack() })
		testwait.Until(t, "refused with the way out", func() bool {
			err := c.Ready()
			return err != nil && strings.Contains(err.Error(), "rabbitmqctl set_permissions USER '"+p.Configure+"' '"+p.Write+"' '"+p.Read+"'")
		})
		if log := c.log.String(); strings.Contains(log, "word") {
			t.Fatalf("the password is in the log:\n%s", log)
		}
	})

	p := cfg.Permissions()
	ctl(t, "set_permissions", "least", p.Configure, p.Write, p.Read)
	ctl(t, "set_topic_permissions", "least", nova, "^$", `^(notifications|versioned_notifications)\.\*$`)
	c := consume(t, cfg, func(d *rabbit.Delivery) { d.Reject("why") }).ready().bound(1)
	b.publish(nova, "notifications.info", "x")
	testwait.Until(t, "consumed and put aside", func() bool { return c.metric("acked_total") == 1 && c.metric("dead_lettered_total") == 1 })

	for name, forbidden := range map[string]func(*amqp.Channel) error{
		"read notifications.info": func(ch *amqp.Channel) error {
			_, err := ch.Consume("notifications.info", "", false, false, false, false, nil)
			return err
		},
		"get from notifications.info": func(ch *amqp.Channel) error {
			_, _, err := ch.Get("notifications.info", false)
			return err
		},
		"purge notifications.info": func(ch *amqp.Channel) error {
			_, err := ch.QueuePurge("notifications.info", false)
			return err
		},
		"bind # to a service's exchange": func(ch *amqp.Channel) error {
			return ch.QueueBind(cfg.QueueName(), "#", nova, false, nil)
		},
		"bind to another exchange": func(ch *amqp.Channel) error {
			return ch.QueueBind(cfg.QueueName(), "notifications.*", "amq.topic", false, nil)
		},
		"delete a service's exchange": func(ch *amqp.Channel) error { return ch.ExchangeDelete(nova, false, false) },
		"make a service's exchange": func(ch *amqp.Channel) error {
			return ch.ExchangeDeclare("neutron", "topic", false, false, false, false, nil)
		},
		"make another queue": func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclare("another", false, false, false, false, nil)
			return err
		},
		"publish to a service": func(ch *amqp.Channel) error {
			return confirmed(ch, nova, "compute.host1")
		},
		"publish to somebody's queue": func(ch *amqp.Channel) error {
			return confirmed(ch, "", "notifications.info")
		},
	} {
		conn, err := amqp.Dial(cfg.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		ch, err := conn.Channel()
		if err != nil {
			t.Fatal(err)
		}
		var refused *amqp.Error
		if err := forbidden(ch); !errors.As(err, &refused) || refused.Code != amqp.AccessRefused {
			t.Errorf("%s: error %v", name, err)
		}
		_ = conn.Close()
	}
}

// confirmed publishes, and returns why the broker closed the channel if it did.
func confirmed(ch *amqp.Channel, exchange, key string) error {
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	if err := ch.Confirm(false); err != nil {
		return err
	}
	c, err := ch.PublishWithDeferredConfirm(exchange, key, false, false, amqp.Publishing{Body: []byte("x")})
	if err != nil {
		return err
	}
	if c.Wait() {
		return nil
	}
	return <-closed
}
