package toast

// phrase is what is said of an event.
type phrase struct {
	// code names the phrase, for pages that speak other languages: the resource
	// and what happened to it.
	code string
	// said follows the resource's name: "was suspended".
	said string
}

// happening is a notable event and what is said of it.
type happening struct {
	event string
	phrase
}

// find looks an event up. The lists are short, and a map would cost a module
// more than it is worth.
func find(list []happening, event string) (said phrase, notable bool) {
	for i := range list {
		if list[i].event == event {
			return list[i].phrase, true
		}
	}
	return phrase{}, false
}

// servers are nova's notable ends by the versioned format's names. The rest is
// progress, part of one of these, or nobody's news.
var servers = []happening{
	{"create", phrase{"server.create", "is ready"}},
	{"delete", phrase{"server.delete", "was deleted"}},
	{"soft_delete", phrase{"server.soft_delete", "was deleted and can still be restored"}},
	{"restore", phrase{"server.restore", "was restored"}},
	{"power_on", phrase{"server.power_on", "was started"}},
	{"power_off", phrase{"server.power_off", "was shut off"}},
	{"reboot", phrase{"server.reboot", "was rebooted"}},
	{"suspend", phrase{"server.suspend", "was suspended"}},
	{"resume", phrase{"server.resume", "was resumed"}},
	{"pause", phrase{"server.pause", "was paused"}},
	{"unpause", phrase{"server.unpause", "runs again"}},
	{"rebuild", phrase{"server.rebuild", "was rebuilt"}},
	{"rescue", phrase{"server.rescue", "is in rescue mode"}},
	{"unrescue", phrase{"server.unrescue", "left rescue mode"}},
	{"resize_finish", phrase{"server.resize", "was resized and waits for confirmation"}},
	{"resize_confirm", phrase{"server.resize_confirm", "keeps its new size"}},
	{"resize_revert", phrase{"server.resize_revert", "has its old size again"}},
	{"shelve", phrase{"server.shelve", "was shelved"}},
	{"unshelve", phrase{"server.unshelve", "was unshelved"}},
	{"snapshot", phrase{"server.snapshot", "has a new snapshot"}},
	{"volume_attach", phrase{"server.volume_attach", "got a volume"}},
	{"volume_detach", phrase{"server.volume_detach", "lost a volume"}},
	{"interface_attach", phrase{"server.interface_attach", "got a network interface"}},
	{"interface_detach", phrase{"server.interface_detach", "lost a network interface"}},
}

// verbs are what a server failed to do, for actions that are called otherwise. Nova
// tells failures of these, and of to build, to reboot, to rebuild and to resize.
var verbs = [...]struct{ action, verb string }{
	{"create", "build"},
	{"resize_prep", "resize"},
	{"resize_finish", "resize"},
	{"interface_attach", "attach a network interface"},
	{"interface_detach", "detach a network interface"},
	{"volume_attach", "attach a volume"},
	{"volume_detach", "detach a volume"},
	{"volume_swap", "swap a volume"},
	{"share_attach", "attach a share"},
	{"share_detach", "detach a share"},
}

// verb is an action as one would say it.
func verb(action string) string {
	for i := range verbs {
		if verbs[i].action == action {
			return verbs[i].verb
		}
	}
	words := []byte(action)
	for i, c := range words {
		if c == '_' {
			words[i] = ' '
		}
	}
	return string(words)
}

// versioned are the names of the versioned format where the legacy one differs.
var versioned = [...]struct{ legacy, versioned string }{
	{"finish_resize", "resize_finish"},
	{"resize.confirm", "resize_confirm"},
	{"resize.revert", "resize_revert"},
	{"resize.prep", "resize_prep"},
	{"volume.attach", "volume_attach"},
	{"volume.detach", "volume_detach"},
}

// storage are cinder's notable ends. That a volume was attached, nova says.
var storage = []happening{
	{"volume.create", phrase{"volume.create", "is available"}},
	{"volume.delete", phrase{"volume.delete", "was deleted"}},
	{"volume.resize", phrase{"volume.resize", "was extended"}},
	{"volume.revert", phrase{"volume.revert", "was reverted to its snapshot"}},
	{"volume.transfer.accept", phrase{"volume.transfer", "was transferred to you"}},
	{"snapshot.create", phrase{"snapshot.create", "is available"}},
	{"snapshot.delete", phrase{"snapshot.delete", "was deleted"}},
	{"backup.create", phrase{"backup.create", "is available"}},
	{"backup.delete", phrase{"backup.delete", "was deleted"}},
	{"backup.restore", phrase{"backup.restore", "was restored"}},
}
