package main

import "testing"

func TestPythonMember(t *testing.T) {
	for text, want := range map[string]string{
		`{'kwargs': {'message': 'inner'}, 'message': 'No valid host was found. ', 'class': 'NoValidHost_Remote'}`: "No valid host was found. ",
		`{'kwargs': {}, 'message': "it's full", 'class': 'X'}`:                                                    "it's full",
		`{'kwargs': {}, 'message': 'both \' and " \\ \n', 'class': 'X'}`:                                          "both ' and \" \\ \n",
		`{'kwargs': {}, 'message': 'no end`:                                                                       "",
		`{'kwargs': {}, 'message': 'no end\`:                                                                      "",
		`{'kwargs': {}, 'message': None}`:                                                                         "",
		`{'kwargs': {}, 'message': `:                                                                              "",
		`no dict`:                                                                                                 "",
	} {
		if got := pythonMember(text, "message"); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

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
