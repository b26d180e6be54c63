package toast

import "testing"

func TestVerbs(t *testing.T) {
	for action, want := range map[string]string{
		"create": "build", "resize_finish": "resize", "reboot": "reboot", "interface_attach": "attach a network interface",
		"volume_swap": "swap a volume", "share_detach": "detach a share", "some_new_action": "some new action",
	} {
		if got := verb(action); got != want {
			t.Errorf("%s: to %s, want to %s", action, got, want)
		}
	}
}
