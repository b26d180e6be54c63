package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxName is nova's limit of a server's name, in characters.
const maxName = 255

// Launch boots a server in the project of the given name and returns its id. An
// empty name, flavor or image is chosen.
//
// # Errors
//
// ErrNotFound for an unknown project, flavor or image; ErrQuota; ErrConflict for
// a name that nova would refuse; ErrStopped.
func (c *Cloud) Launch(ctx context.Context, project, name, flavorName, imageName string) (id string, err error) {
	p, err := projectByName(project)
	if err != nil {
		return "", err
	}
	err = c.call(ctx, func() error {
		s, err := c.newServer(p, name, flavorName, imageName)
		if err == nil {
			c.boot(s, newRequestID())
			id = s.id
		}
		return err
	})
	return id, err
}

// Suspend suspends the project's server.
//
// # Errors
//
// ErrNotFound, ErrConflict if it is not active or busy, ErrStopped.
func (c *Cloud) Suspend(ctx context.Context, project, id string) error {
	return c.act(ctx, project, id, actions["suspend"])
}

// Resume resumes the project's suspended server.
//
// # Errors
//
// ErrNotFound, ErrConflict if it is not suspended or busy, ErrStopped.
func (c *Cloud) Resume(ctx context.Context, project, id string) error {
	return c.act(ctx, project, id, actions["resume"])
}

func (c *Cloud) act(ctx context.Context, project, id string, a action) error {
	return c.call(ctx, func() error {
		s, err := c.find(project, id)
		switch {
		case err != nil:
			return err
		case !s.idle() || s.vmState != a.from:
			return fmt.Errorf("%w: cannot %s %s while it is in vm_state %s, task %q", ErrConflict, a.name, s.name, s.vmState, s.task)
		}
		c.perform(s, a, newRequestID())
		return nil
	})
}

// Delete deletes the project's server, whatever it is doing.
//
// # Errors
//
// ErrNotFound, ErrConflict if it is being deleted already, ErrStopped.
func (c *Cloud) Delete(ctx context.Context, project, id string) error {
	return c.call(ctx, func() error {
		s, err := c.find(project, id)
		switch {
		case err != nil:
			return err
		case s.task == "deleting":
			return fmt.Errorf("%w: %s is being deleted already", ErrConflict, s.name)
		}
		c.remove(s, newRequestID())
		return nil
	})
}

// find finds a project's server. It is called with the lock held.
func (c *Cloud) find(project, id string) (*server, error) {
	s := c.servers[id]
	if s == nil || s.project.Name != project {
		return nil, fmt.Errorf("%w: server %q in project %s", ErrNotFound, id, project)
	}
	return s, nil
}

// newServer makes the row that nova-api makes before anything else happens.
func (c *Cloud) newServer(p *Project, name, flavorName, imageName string) (*server, error) {
	if n := len(c.of(p)); n >= c.opts.MaxServers {
		return nil, fmt.Errorf("%w: project %s has %d servers, as many as it may; delete one first", ErrQuota, p.Name, n)
	}
	f, err := pick(flavors, flavorName, c.serial, func(f *flavor) string { return f.Name })
	if err != nil {
		return nil, fmt.Errorf("%w: flavor %q", ErrNotFound, flavorName)
	}
	img, err := pick(images, imageName, c.serial, func(i *image) string { return i.Name })
	if err != nil {
		return nil, fmt.Errorf("%w: image %q", ErrNotFound, imageName)
	}
	c.serial++
	if name = strings.TrimSpace(name); name == "" {
		name = fmt.Sprintf("%s-%d", randomNames[c.serial%len(randomNames)], c.serial)
	}
	if !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return nil, fmt.Errorf("%w: a server's name has at most %d printable characters", ErrConflict, maxName)
	}
	s := &server{
		id: newUUID(), name: name, reservation: newReservationID(), number: c.serial,
		project: p, flavor: f, image: img, vmState: "building", task: "scheduling", power: "pending",
		created: c.now().Truncate(time.Second),
	}
	if c.serial%3 != 0 {
		s.keyName = p.User.Name + "-key"
	}
	c.servers[s.id] = s
	return s, nil
}

// pick finds the entry called name, or the nth for no name.
func pick[T any](list []T, name string, n int, nameOf func(*T) string) (*T, error) {
	if name == "" {
		return &list[n%len(list)], nil
	}
	for i := range list {
		if nameOf(&list[i]) == name {
			return &list[i], nil
		}
	}
	return nil, ErrNotFound
}

// of lists a project's servers, the newest first. It is called with the lock
// held.
func (c *Cloud) of(p *Project) []*server {
	var list []*server
	for _, s := range c.servers {
		if s.project == p {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *server) int { return cmp.Compare(b.number, a.number) })
	return list
}

// address draws a free address of the project's subnet.
func (c *Cloud) address(p *Project) string {
	taken := map[string]bool{}
	for _, s := range c.servers {
		taken[s.ip] = true
	}
	for host := 10 + c.serial%200; ; host = 10 + (host-9)%240 {
		if ip := fmt.Sprintf("%s%d", p.subnet, host); !taken[ip] {
			return ip
		}
	}
}

// forget drops a deleted server.
func (c *Cloud) forget(s *server) {
	delete(c.servers, s.id)
	delete(c.plan, s.id)
}

// populate makes the servers that are there before anybody looks, without a
// word about them.
func (c *Cloud) populate() {
	now := c.now()
	for i := range Projects {
		p := &Projects[i]
		for n, name := range []string{"database", "réseau-1", "web-1"} {
			s, err := c.newServer(p, name, "", "")
			if err != nil {
				return // MaxServers is that small
			}
			age := time.Duration(3-n) * (26*time.Hour + 7*time.Minute)
			s.created = now.Add(-age).Truncate(time.Second)
			s.launched, s.updated, s.told = s.created.Add(6*time.Second), s.created.Add(6*time.Second), s.created.Add(6*time.Second)
			s.vmState, s.task, s.power = "active", "", "running"
			s.host = computeHosts[s.number%len(computeHosts)]
			s.ip, s.mac, s.port = c.address(p), newMAC(), newUUID()
			s.background = n == 2
		}
	}
}
