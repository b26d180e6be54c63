package instances

import "testing"

// nova's own map, as nova/api/openstack/common.py has it.
func TestStatus(t *testing.T) {
	for states, want := range map[[2]string]string{
		{"active", ""}: "ACTIVE", {"active", "suspending"}: "ACTIVE", {"active", "rebooting"}: "REBOOT",
		{"active", "reboot_started_hard"}: "HARD_REBOOT", {"active", "updating_password"}: "PASSWORD",
		{"active", "rebuild_spawning"}: "REBUILD", {"active", "migrating"}: "MIGRATING", {"active", "resize_finish"}: "RESIZE",
		{"building", "spawning"}: "BUILD", {"stopped", ""}: "SHUTOFF", {"stopped", "resize_migrated"}: "RESIZE",
		{"stopped", "rebuilding"}: "REBUILD", {"resized", ""}: "VERIFY_RESIZE", {"resized", "resize_reverting"}: "REVERT_RESIZE",
		{"paused", "migrating"}: "MIGRATING", {"paused", ""}: "PAUSED", {"suspended", "resuming"}: "SUSPENDED",
		{"rescued", ""}: "RESCUE", {"error", ""}: "ERROR", {"error", "rebuilding"}: "REBUILD", {"error", "resize_prep"}: "ERROR",
		{"deleted", ""}: "DELETED", {"soft-delete", ""}: "SOFT_DELETED", {"shelved", ""}: "SHELVED",
		{"shelved_offloaded", "unshelving"}: "SHELVED_OFFLOADED", {"something new", ""}: "UNKNOWN",
	} {
		if got := apiStatus(states[0], states[1]); got != want {
			t.Errorf("%v: got %s, want %s", states, got, want)
		}
	}
}
