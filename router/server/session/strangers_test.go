package session

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"horizon-realtime/router/auth"
)

// crowd is places among strangers, by a letter for each.
type crowd struct {
	*Strangers
	places map[string]*Place
	closed []string
}

func newCrowd(most, perAddress int) *crowd {
	reg := prometheus.NewRegistry()
	cfg := Config{MaxStrangers: most, MaxStrangersPerAddress: perAddress}
	return &crowd{
		Strangers: newStrangers(cfg, newMetrics(reg), auth.NewRefusalLog(slog.New(slog.DiscardHandler)), reg),
		places:    map[string]*Place{},
	}
}

// do does one thing with a place: +a1 enters from address 1, a shows a sign of life, a=2
// moves, a! says who it is, a? is a stranger again, and -a leaves.
func (c *crowd) do(what string) {
	name := strings.Trim(what, "+-!?=12")
	p := c.places[name]
	switch {
	case what[0] == '+':
		p = c.Place(what[2:], func() { c.closed = append(c.closed, name) })
		c.places[name] = p
		p.Enter()
	case what[0] == '-':
		p.Leave()
	case strings.HasSuffix(what, "!"):
		p.name()
	case strings.HasSuffix(what, "?"):
		p.unname()
	case strings.Contains(what, "="):
		p.Move(what[2:])
	default:
		p.Enter()
	}
}

// TestStrangers: who is over a bound is the one that has been quiet for longest, and
// nobody that said who it is.
func TestStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		most, perAddress int
		do               string
		closed           string
		left             int
	}{
		"there is room":            {3, 3, "+a1 +b1 +c1", "", 3},
		"the oldest goes":          {3, 0, "+a1 +b1 +c1 +d1 +e1", "a b", 3},
		"but not a client":         {3, 0, "+a1 a! +b1 +c1 +d1 +e1", "b", 3},
		"nor one that moved":       {3, 0, "+a1 +b1 +c1 a +d1", "b", 3},
		"one that left makes room": {3, 0, "+a1 +b1 +c1 -b +d1", "", 3},
		"a client that is no more": {3, 0, "+a1 a! +b1 +c1 +d1 a?", "b", 3},
		"two sessions, one ended":  {3, 0, "+a1 a! a! +b1 +c1 +d1 a?", "", 3},
		"an address's own oldest":  {9, 2, "+a1 +b2 +c2 +d2", "b", 3},
		"an address by a proxy":    {9, 2, "+a1 +b1 +c +d d=1", "a", 3},
		"proxies are not counted":  {9, 1, "+a +b +c", "", 3},
		"closed is closed":         {2, 0, "+a1 +b1 +c1 a a! a? -a", "a", 2},
		"twice gone":               {2, 0, "+a1 -a -a +b1 +c1", "", 2},
		"nobody, for ever":         {2, 2, "+a1 -a +b1 b! -b b?", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			crowd := newCrowd(c.most, c.perAddress)
			for what := range strings.FieldsSeq(c.do) {
				crowd.do(what)
			}
			if !slices.Equal(crowd.closed, strings.Fields(c.closed)) || crowd.Len() != c.left {
				t.Errorf("closed %v, not %s; %d are left", crowd.closed, c.closed, crowd.Len())
			}
			for _, p := range crowd.places {
				p.Leave()
			}
			if crowd.Len()+len(crowd.addresses) > 0 {
				t.Errorf("left behind: %d places, %v", crowd.Len(), crowd.addresses)
			}
		})
	}
}

// TestRequestsOfAConnection: a client over one of several requests names the
// connection, too.
func TestRequestsOfAConnection(t *testing.T) {
	c := newCrowd(2, 2)
	c.do("+a1")
	request := c.PlaceOfRequest(c.places["a"], func() { c.closed = append(c.closed, "request") })
	request.Enter()
	request.name()
	c.do("+b1")
	c.do("+c1")
	if len(c.closed) > 0 {
		t.Errorf("closed %v", c.closed)
	}
	request.unname() // a stranger again, and its connection
	if c.Len() != 2 || !slices.Equal(c.closed, []string{"b", "c"}) {
		t.Errorf("closed %v", c.closed)
	}
	request.Leave()
	if c.do("+d1"); c.Len() != 2 || len(c.closed) != 2 {
		t.Errorf("closed %v", c.closed)
	}
	// A request is under its connection's address.
	c.PlaceOfRequest(c.places["d"], func() {}).Enter()
	if want := []string{"b", "c", "a"}; !slices.Equal(c.closed, want) {
		t.Errorf("closed %v", c.closed)
	}
}
