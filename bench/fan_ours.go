package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
	"horizon-realtime/router/event"
	"horizon-realtime/router/hub"
	"horizon-realtime/router/server"
)

// serveFanOurs is the router's hub and server as `run` wires them, with every
// loopback client in one project.
func serveFanOurs([]string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	reg := prometheus.NewRegistry()
	authConfig := auth.DefaultConfig()
	authConfig.Anonymous = auth.AnonymousConfig{Enabled: true, ProjectID: "bench", UserID: "bench"}
	who, err := auth.New(ctx, authConfig, log, reg)
	if err != nil {
		return err
	}
	hubConfig := hub.DefaultConfig()
	hubConfig.HistorySize = 256
	h := hub.New(hubConfig, log, reg)
	cfg := server.DefaultConfig()
	cfg.Listen, cfg.MaxConnectionsPerUser, cfg.OutboxBytes = "127.0.0.1:0", 0, 64<<20
	s, err := server.New(cfg, h, who, server.Options{Log: log, Registerer: reg})
	if err != nil {
		return err
	}
	go h.Run(ctx)
	go s.Run(ctx)
	channel, err := event.ParseChannel(fanChannel)
	if err != nil {
		return err
	}
	return fanServer(s.Addr().String(), func(data []byte) {
		h.Publish(hub.Publication{Channel: channel, Key: []byte("key"), Data: data, At: time.Now()})
	})
}
