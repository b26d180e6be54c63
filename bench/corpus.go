package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"os"

	"horizon-realtime/router/event"
	"horizon-realtime/router/json"
	"horizon-realtime/router/oslo"
	"horizon-realtime/router/rabbit"
)

// recording is what the services of a real OpenStack said while it was used.
const recording = "../cmd/horizon-realtime/e2e/testdata/recorded.jsonl.gz"

// recorded reads the recording's notifications from one exchange, or from all
// if it is empty.
func recorded(exchange string) ([]rabbit.Recorded, error) {
	packed, err := os.Open(recording)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", recording, err)
	}
	var all []rabbit.Recorded
	lines := bufio.NewScanner(plain)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		r, err := rabbit.ParseRecorded(lines.Bytes())
		if err != nil {
			return nil, err
		}
		if exchange == "" || r.Exchange == exchange {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, errors.Join(lines.Err(), fmt.Errorf("%s has nothing from exchange %q", recording, exchange))
	}
	return all, lines.Err()
}

// instanceUpdate is the first recorded compute.instance.update of an active
// server: 3 kB, nova's most frequent notification.
func instanceUpdate() (rabbit.Recorded, *event.Notification, error) {
	all, err := recorded("nova")
	if err != nil {
		return rabbit.Recorded{}, nil, err
	}
	state, err := json.ParsePointer("/payload/state")
	if err != nil {
		return rabbit.Recorded{}, nil, err
	}
	decoder := oslo.NewDecoder(oslo.DefaultConfig())
	n := new(event.Notification)
	for _, r := range all {
		if err := decoder.Decode(n, []byte(r.Body), ""); err != nil {
			return r, nil, err
		}
		if n.Type == "compute.instance.update" && n.Project != "" && n.Get(state).Text() == "active" {
			return r, n, nil
		}
	}
	return rabbit.Recorded{}, nil, fmt.Errorf("%s has no update of an active server", recording)
}
