package main

// phrase is what is said of an event.
type phrase struct {
	// code names the phrase, for pages that speak other languages: the resource
	// and what happened to it.
	code string
	// said follows the resource's name: "was suspended".
	said string
}

// servers are nova's notable ends by the versioned format's names. The rest is
// progress, part of one of these, or nobody's news.
var servers = map[string]phrase{
	"create":           {"server.create", "is ready"},
	"delete":           {"server.delete", "was deleted"},
	"soft_delete":      {"server.soft_delete", "was deleted and can still be restored"},
	"restore":          {"server.restore", "was restored"},
	"power_on":         {"server.power_on", "was started"},
	"power_off":        {"server.power_off", "was shut off"},
	"reboot":           {"server.reboot", "was rebooted"},
	"suspend":          {"server.suspend", "was suspended"},
	"resume":           {"server.resume", "was resumed"},
	"pause":            {"server.pause", "was paused"},
	"unpause":          {"server.unpause", "runs again"},
	"rebuild":          {"server.rebuild", "was rebuilt"},
	"rescue":           {"server.rescue", "is in rescue mode"},
	"unrescue":         {"server.unrescue", "left rescue mode"},
	"resize_finish":    {"server.resize", "was resized and waits for confirmation"},
	"resize_confirm":   {"server.resize_confirm", "keeps its new size"},
	"resize_revert":    {"server.resize_revert", "has its old size again"},
	"shelve":           {"server.shelve", "was shelved"},
	"unshelve":         {"server.unshelve", "was unshelved"},
	"snapshot":         {"server.snapshot", "has a new snapshot"},
	"volume_attach":    {"server.volume_attach", "got a volume"},
	"volume_detach":    {"server.volume_detach", "lost a volume"},
	"interface_attach": {"server.interface_attach", "got a network interface"},
	"interface_detach": {"server.interface_detach", "lost a network interface"},
}

// versioned are the names of the versioned format where the legacy one differs.
var versioned = map[string]string{
	"finish_resize":  "resize_finish",
	"resize.confirm": "resize_confirm",
	"resize.revert":  "resize_revert",
	"resize.prep":    "resize_prep",
	"volume.attach":  "volume_attach",
	"volume.detach":  "volume_detach",
}

// storage are cinder's notable ends. That a volume was attached, nova says.
var storage = map[string]phrase{
	"volume.create":          {"volume.create", "is available"},
	"volume.delete":          {"volume.delete", "was deleted"},
	"volume.resize":          {"volume.resize", "was extended"},
	"volume.revert":          {"volume.revert", "was reverted to its snapshot"},
	"volume.transfer.accept": {"volume.transfer", "was transferred to you"},
	"snapshot.create":        {"snapshot.create", "is available"},
	"snapshot.delete":        {"snapshot.delete", "was deleted"},
	"backup.create":          {"backup.create", "is available"},
	"backup.delete":          {"backup.delete", "was deleted"},
	"backup.restore":         {"backup.restore", "was restored"},
}
