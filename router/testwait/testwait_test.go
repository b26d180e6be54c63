package testwait

import (
	"errors"
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	asked := 0
	Until(t, "the third question", func() bool { asked++; return asked == 3 })
	Succeeds(t, "the sixth question", func() error {
		if asked++; asked < 6 {
			return errors.New("not yet")
		}
		return nil
	})
	if asked != 6 {
		t.Errorf("asked %d times", asked)
	}
	c := make(chan int)
	go func() { c <- 7; close(c) }()
	if v := Receive(t, "the number", c); v != 7 {
		t.Errorf("received %d", v)
	}
	if v := Receive(t, "the end", c); v != 0 {
		t.Errorf("received %d from a closed channel", v)
	}
}

func TestGivesUp(t *testing.T) {
	if poll(time.Millisecond, func() bool { return false }) {
		t.Error("what never holds did")
	}
}
