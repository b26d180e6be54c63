package instances

import "horizon-realtime/sdk"

// status is what nova's API calls a pair of states: _STATE_MAP in
// nova/api/openstack/common.py.
func status(state, task sdk.Value) sdk.Value {
	if !state.Known() {
		return sdk.Value{}
	}
	return sdk.StringValue(apiStatus(state.Text(), task.Text()))
}

func apiStatus(state, task string) string {
	switch state {
	case "active":
		switch task {
		case "rebooting", "reboot_pending", "reboot_started":
			return "REBOOT"
		case "rebooting_hard", "reboot_pending_hard", "reboot_started_hard":
			return "HARD_REBOOT"
		case "updating_password":
			return "PASSWORD"
		case "migrating":
			return "MIGRATING"
		}
		return changing(task, true, "ACTIVE")
	case "building":
		return "BUILD"
	case "stopped":
		return changing(task, true, "SHUTOFF")
	case "resized":
		if task == "resize_reverting" {
			return "REVERT_RESIZE"
		}
		return "VERIFY_RESIZE"
	case "paused":
		if task == "migrating" {
			return "MIGRATING"
		}
		return "PAUSED"
	case "suspended":
		return "SUSPENDED"
	case "rescued":
		return "RESCUE"
	case "error":
		return changing(task, false, "ERROR")
	case "deleted":
		return "DELETED"
	case "soft-delete":
		return "SOFT_DELETED"
	case "shelved":
		return "SHELVED"
	case "shelved_offloaded":
		return "SHELVED_OFFLOADED"
	}
	return "UNKNOWN"
}

// changing is the part of the map that several states share.
func changing(task string, resizable bool, otherwise string) string {
	switch task {
	case "rebuilding", "rebuild_block_device_mapping", "rebuild_spawning":
		return "REBUILD"
	case "resize_prep", "resize_migrating", "resize_migrated", "resize_finish":
		if resizable {
			return "RESIZE"
		}
	}
	return otherwise
}
