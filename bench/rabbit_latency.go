package main

import (
	"encoding/json"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// What the latency rows do: every project's clients listen to its instances.
const (
	latencyProjects = 100
	latencyRate     = 500 // notifications per second
	latencyGoal     = 5   // ms
)

// latency measures the time from a notification's publishing to each client's
// having its panel message, through RabbitMQ and the real binary, beside the
// time until a bare consumer has the notification itself.
func latency() ([]result, error) {
	b, err := startBus()
	if err != nil {
		return nil, err
	}
	defer b.stop()
	message, err := newStamped()
	if err != nil {
		return nil, err
	}
	var ours, bare []*times
	for range size(3, 1) {
		t, err := b.toClients(message)
		if err != nil {
			return nil, fmt.Errorf("the router: %w", err)
		}
		ours = append(ours, t)
		if t, err = b.toConsumer(message); err != nil {
			return nil, fmt.Errorf("the bare consumer: %w", err)
		}
		bare = append(bare, t)
	}
	of := func(q float64) func(*times) float64 {
		return func(t *times) float64 { return milliseconds(t.quantile(q)) }
	}
	const load = "500 notifications/s to 1,000 clients in 100 projects"
	return []result{
		row("p50 publish to client, "+load, "ms", median(ours, of(0.5)), median(bare, of(0.5)), "publish to a bare amqp091-go consumer"),
		row("p99 publish to client, "+load, "ms", median(ours, of(0.99)), median(bare, of(0.99)), "publish to a bare amqp091-go consumer"),
		row("p99 publish to client, "+load+" (goal 5 ms)", "ms", median(ours, of(0.99)), latencyGoal, "the goal"),
	}, nil
}

// stamped is a notification that carries the moment it was published, as the
// server's name, which the plugin passes on.
type stamped struct{ *template }

const (
	stampMark = "t" // before the digits
	stampHole = "t0000000000000000000"
	idHole    = "ffffffff-ffff-4fff-8fff-ffffffffffff"
	owner     = "ffffffffffffffffffffffffffffffff"
)

func newStamped() (stamped, error) {
	r, _, err := instanceUpdate()
	if err != nil {
		return stamped{}, err
	}
	var envelope, inner map[string]any
	if err := json.Unmarshal([]byte(r.Body), &envelope); err != nil {
		return stamped{}, err
	}
	if err := json.Unmarshal([]byte(envelope["oslo.message"].(string)), &inner); err != nil {
		return stamped{}, err
	}
	payload := inner["payload"].(map[string]any)
	inner["message_id"], payload["tenant_id"], payload["display_name"] = idHole, owner, stampHole
	text, err := json.Marshal(inner)
	if err != nil {
		return stamped{}, err
	}
	envelope["oslo.message"] = string(text)
	body, err := json.Marshal(envelope)
	if err != nil {
		return stamped{}, err
	}
	t, err := newTemplate(string(body), idHole, owner, stampHole)
	return stamped{t}, err
}

// projectID is the id of one of the projects.
func projectID(i int) string { return fmt.Sprintf("%032x", i) }

// toClients runs the binary and its clients.
func (b *bus) toClients(message stamped) (*times, error) {
	r, err := b.startRouter()
	if err != nil {
		return nil, err
	}
	defer r.stop()
	perProject, messages := size(10, 1), size(10*latencyRate, latencyRate/2)
	times := newTimes(messages*perProject, `"name":"`+stampMark)
	crowd := clients{onPush: func(_ int, read []byte) { times.see(read) }}
	project := func(i int) string { return projectID(i % latencyProjects) }
	channel := func(i int) string { return "project/" + project(i) + "/instances" }
	credentials := func(i int) string { return token(i, project(i)) }
	if err := crowd.dial(r.server, fanPath, latencyProjects*perProject, channel, credentials); err != nil {
		return nil, err
	}
	defer crowd.close()
	// Once to each first, so that what is made at a first message is there.
	if err := b.publishPaced(message, latencyProjects); err != nil {
		return nil, err
	}
	warm := int64(latencyProjects * perProject)
	if err := crowd.wait(warm, 30*time.Second); err != nil {
		return nil, err
	}
	times.n.Store(0)
	if err := b.publishPaced(message, messages); err != nil {
		return nil, err
	}
	return times, crowd.wait(warm+int64(messages*perProject), 30*time.Second)
}

// publishPaced publishes to the projects in turn.
func (b *bus) publishPaced(message stamped, messages int) error {
	next := time.Now()
	for i := range messages {
		published++
		message.set(idHole, messageID(published))
		message.set(owner, projectID(i%latencyProjects))
		message.set(stampHole, fmt.Sprintf("%s%019d", stampMark, time.Now().UnixNano()))
		if _, err := b.publish(message.body, false); err != nil {
			return err
		}
		next = next.Add(time.Second / latencyRate)
		time.Sleep(time.Until(next))
	}
	return nil
}

// toConsumer has a consumer on a queue of its own look at the bodies.
func (b *bus) toConsumer(message stamped) (*times, error) {
	ch, err := b.conn.Channel()
	if err != nil {
		return nil, err
	}
	defer ch.Close()
	if _, err := ch.QueuePurge(b.queue, false); err != nil {
		return nil, err
	}
	deliveries, err := ch.Consume(b.queue, "", true, true, false, false, amqp.Table{})
	if err != nil {
		return nil, err
	}
	messages := size(10*latencyRate, latencyRate/2)
	times := newTimes(messages, `display_name\":\"`+stampMark)
	done := make(chan error, 1)
	go func() {
		for range messages {
			m, ok := <-deliveries
			if !ok {
				done <- fmt.Errorf("the channel was closed")
				return
			}
			times.see(m.Body)
		}
		done <- nil
	}()
	if err := b.publishPaced(message, messages); err != nil {
		return nil, err
	}
	select {
	case err := <-done:
		return times, err
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("%d of %d notifications arrived", times.seen(), messages)
	}
}
