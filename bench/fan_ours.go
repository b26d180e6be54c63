package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server"
)

// serveFanOurs is the router's hub and server as `run` wires them. Its arguments, if
// any, are [server] outbox_bytes, else there is room for any burst, and ping.
func serveFanOurs(args []string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	reg := prometheus.NewRegistry()
	authConfig := auth.DefaultConfig()
	authConfig.JWT.HMACSecret = secret
	who, err := auth.New(authConfig, log, reg)
	if err != nil {
		return err
	}
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = 256
	h := hub.New(hubConfig, log, reg)
	cfg := server.DefaultConfig()
	cfg.Listen, cfg.OutboxBytes = "127.0.0.1:0", 64<<20
	if len(args) > 0 {
		if cfg.OutboxBytes, err = strconv.Atoi(args[0]); err != nil {
			return fmt.Errorf("outbox bytes: %w", err)
		}
	}
	if cfg.Ping, err = pingInterval(args); err != nil {
		return err
	}
	s, err := server.New(cfg, h, who, server.Options{Log: log, Registerer: reg})
	if err != nil {
		return err
	}
	go h.Run(ctx)
	go s.Run(ctx)
	channels := map[string]event.Channel{}
	return serveFan(s.Addr().String(), fan{
		publish: func(name string, data []byte) error {
			channel, ok := channels[name]
			if !ok {
				if channel, err = event.ParseChannel(name); err != nil {
					return err
				}
				channels[name] = channel
			}
			return h.Publish(hub.Publication{Channel: channel, Key: []byte("key"), Data: data, At: time.Now()})
		},
		slow: func() int { return slowDisconnects(reg) },
	})
}

// slowDisconnects reads how many clients were sent away as too slow.
func slowDisconnects(reg *prometheus.Registry) (n int) {
	families, _ := reg.Gather()
	for _, f := range families {
		if f.GetName() != "horizon_realtime_server_disconnects_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "code" && l.GetValue() == "3008" {
					n += int(m.GetCounter().GetValue())
				}
			}
		}
	}
	return n
}
