package wire

import (
	"fmt"
	"testing"
	"time"
)

func TestReplies(t *testing.T) {
	past := time.Now().Add(-time.Hour)
	for want, got := range map[string][]byte{
		`{"id":7,"ping":{}}`: EmptyReply(7, "ping"),
		`{"id":7,"error":{"code":103,"message":"permission denied"}}`:                                ErrorReply(7, ErrPermissionDenied),
		`{"id":7,"error":{"code":111,"message":"too many requests","temporary":true}}`:               ErrorReply(7, ErrTooManyRequests),
		`{"id":1,"connect":{"client":"c","version":"v","ping":25,"pong":true,"data":{"clients":0}}}`: ConnectReply(1, ConnectResult{Client: "c", Version: "v", Ping: 25, Pong: true}),
		`{"id":7,"refresh":{}}`:                                                                    RefreshReply(7, "refresh", time.Time{}),
		`{"id":7,"refresh":{"expires":true,"ttl":1}}`:                                              RefreshReply(7, "refresh", past),
		`{"id":7,"subscribe":{"epoch":"e","offset":3}}`:                                            SubscribeReply(7, &Recovery{Epoch: "e", Offset: 3}),
		`{"id":7,"subscribe":{"recoverable":true,"positioned":true,"epoch":"e","offset":3}}`:       SubscribeReply(7, &Recovery{Recoverable: true, Epoch: "e", Offset: 3}),
		`{"id":7,"subscribe":{"epoch":"e","offset":3,"was_recovering":true}}`:                      SubscribeReply(7, &Recovery{Recovering: true, Epoch: "e", Offset: 3}),
		`{"id":7,"history":{"publications":[],"epoch":"e","offset":3}}`:                            HistoryReply(7, nil, "e", 3),
		`{"id":7,"history":{"publications":[{"data":1}],"epoch":"e","offset":3}}`:                  HistoryReply(7, []byte(`{"data":1}`), "e", 3),
		`{"id":7,"presence":{"presence":{}}}`:                                                      PresenceReply(7, nil),
		`{"id":7,"presence":{"presence":{"c":{"client":"c","user":"ann"}}}}`:                       PresenceReply(7, map[string]string{"c": "ann"}),
		`{"id":7,"presence_stats":{"num_clients":3,"num_users":2}}`:                                PresenceStatsReply(7, map[string]string{"c": "ann", "d": "ann", "e": "bob"}),
		`{"push":{"channel":"public/a","unsubscribe":{"code":2000,"reason":"permission denied"}}}`: UnsubscribePush("public/a", ErrPermissionDenied),
		`{"push":{"disconnect":{"code":3001,"reason":"shutdown"}}}`:                                DisconnectPush(Shutdown),
		`{"id":7,"subscribe":{"epoch":"e","offset":3,"was_recovering":true,"recovered":true,"publications":[{"data":1}]}}`: SubscribeReply(7,
			&Recovery{Recovering: true, Recovered: true, Epoch: "e", Offset: 3, Publications: []byte(`{"data":1}`)}),
		`{"id":1,"connect":{"client":"c","version":"v","expires":true,"ttl":9,"ping":25,"pong":true,"session":"s","node":"n","data":{"clients":0}}}`: ConnectReply(1,
			ConnectResult{Client: "c", Version: "v", Expires: true, TTL: 9, Ping: 25, Pong: true, Session: "s", Node: "n"}),
	} {
		if string(got) != want {
			t.Errorf("%s\nnot %s", got, want)
		}
	}
}

// TestCodes holds the codes to what official clients make of them.
func TestCodes(t *testing.T) {
	for want, e := range map[string]*Error{
		"100 true": ErrInternal, "102 false": ErrUnknownChannel, "103 false": ErrPermissionDenied, "104 false": ErrMethodNotFound,
		"105 false": ErrAlreadySubscribed, "106 false": ErrLimitExceeded, "107 false": ErrBadRequest, "108 false": ErrNotAvailable,
		"109 false": ErrTokenExpired, "111 true": ErrTooManyRequests, "112 false": ErrUnrecoverable,
	} {
		if got := fmt.Sprint(e.Code, e.Temporary); got != want || e.Message == "" {
			t.Errorf("%q: %s, not %s", e.Message, got, want)
		}
	}
	for want, d := range map[uint16]Disconnect{
		3001: Shutdown, 3005: Expired, 3008: Slow, 3009: WriteError, 3012: NoPong, 3013: TooManyRequests,
		3500: InvalidToken, 3501: BadRequest, 3502: Stale, 3504: ConnectionLimit, 1002: ProtocolError,
	} {
		if d.Code != want || d.Reason == "" {
			t.Errorf("%q: %d, not %d", d.Reason, d.Code, want)
		}
	}
}

func TestTTL(t *testing.T) {
	for left, want := range map[time.Duration]int{
		-time.Hour: 1, time.Second: 1, 40 * time.Second: 30, 120 * time.Second: 90, 1000 * time.Second: 970,
	} {
		if got := ttl(left); got != want {
			t.Errorf("%s before the end: %d, not %d", left, got, want)
		}
	}
}
