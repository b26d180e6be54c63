package demo

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// states are nova's two states of a server.
type states struct{ vm, task string }

// tellUpdate makes compute.instance.update, as nova does after each change of
// state with notify_on_state_change = vm_and_task_state.
func (c *Cloud) tellUpdate(s *server, request, publisher string, before states) {
	at := c.tick(s)
	if c.opts.Format != Versioned {
		p := legacyServer(s)
		p.legacyUpdate = &legacyUpdate{
			OldState: before.vm, OldTask: orNull(before.task), NewTask: orNull(s.task),
			PeriodBeginning: at.UTC().Truncate(time.Hour).Format("2006-01-02T15:04:05.000000"),
			PeriodEnding:    at.UTC().Format("2006-01-02T15:04:05.000000"),
		}
		c.tellNova(s, "notifications.info", publisher, "compute.instance.update", request, false, at, p)
	}
	if c.opts.Format != Unversioned {
		data := versionedServer(s, request)
		data.StateUpdate = novaObject("InstanceStateUpdatePayload", "1.0", struct {
			OldState string  `json:"old_state"`
			State    string  `json:"state"`
			OldTask  *string `json:"old_task_state"`
			NewTask  *string `json:"new_task_state"`
		}{before.vm, s.vmState, orNull(before.task), orNull(s.task)})
		data.AuditPeriod = novaObject("AuditPeriodPayload", "1.0", struct {
			Beginning string `json:"audit_period_beginning"`
			Ending    string `json:"audit_period_ending"`
		}{zulu(at.Truncate(time.Hour)), zulu(at)})
		data.OldDisplayName, data.Tags = rawNull, rawList
		c.tellNova(s, "versioned_notifications.info", versionedPublisher(publisher), "instance.update", request, false, at,
			novaObject("InstanceUpdatePayload", "2.0", data))
	}
}

// tellEvent makes compute.instance.<event>, where event is an action and its
// phase: create.start, suspend.end.
func (c *Cloud) tellEvent(s *server, request, publisher, event string, elevated bool) {
	at := c.tick(s)
	if c.opts.Format != Versioned {
		p := legacyServer(s)
		switch event {
		case "create.start":
			p.ImageName = s.image.Name
		case "create.end":
			p.LaunchedAt = micro(s.launched)
			p.FixedIPs = []any{legacyAddress(s)}
			p.Message = "Success"
		case "delete.end":
			p.TerminatedAt, p.DeletedAt = micro(s.terminated), micro(s.deleted.Truncate(time.Second))
		}
		c.tellNova(s, "notifications.info", publisher, "compute.instance."+event, request, elevated, at, p)
	}
	if c.opts.Format != Unversioned {
		data, kind, version := versionedServer(s, request), "InstanceActionPayload", "1.8"
		data.Fault = rawNull
		if strings.HasPrefix(event, "create.") {
			kind, version = "InstanceCreatePayload", "1.12"
			data.Keypairs, data.Tags, data.TrustedCertificates = versionedKeypairs(s), rawList, rawNull
			data.InstanceName = "instance-" + paddedHex(s.number)
		}
		c.tellNova(s, "versioned_notifications.info", versionedPublisher(publisher), "instance."+event, request, elevated, at,
			novaObject(kind, version, data))
	}
}

func (c *Cloud) tellNova(s *server, key, publisher, event, request string, elevated bool, at time.Time, payload any) {
	c.tell("nova", key, s.project, at, &notification{
		PublisherID: publisher, EventType: event, Priority: "INFO", Payload: payload,
		requestContext: newContext(s.project, request, elevated, at),
	})
}

// versionedPublisher respells a publisher: `compute.host` is `nova-compute:host`
// in versioned notifications.
func versionedPublisher(legacy string) string {
	service, host, _ := strings.Cut(legacy, ".")
	return "nova-" + service + ":" + host
}

// legacyPayload is what nova's info_from_instance puts into every unversioned
// notification about a server, in its order.
type legacyPayload struct {
	TenantID     string            `json:"tenant_id"`
	UserID       string            `json:"user_id"`
	InstanceID   string            `json:"instance_id"`
	DisplayName  string            `json:"display_name"`
	Reservation  string            `json:"reservation_id"`
	Hostname     string            `json:"hostname"`
	Type         string            `json:"instance_type"`
	TypeID       int               `json:"instance_type_id"`
	FlavorID     string            `json:"instance_flavor_id"`
	Architecture *string           `json:"architecture"`
	MemoryMB     int               `json:"memory_mb"`
	DiskGB       int               `json:"disk_gb"`
	VCPUs        int               `json:"vcpus"`
	RootGB       int               `json:"root_gb"`
	EphemeralGB  int               `json:"ephemeral_gb"`
	Host         *string           `json:"host"`
	Node         *string           `json:"node"`
	Zone         string            `json:"availability_zone"`
	Cell         string            `json:"cell_name"`
	CreatedAt    string            `json:"created_at"`
	TerminatedAt string            `json:"terminated_at"`
	DeletedAt    string            `json:"deleted_at"`
	LaunchedAt   string            `json:"launched_at"`
	ImageRefURL  string            `json:"image_ref_url"`
	OSType       *string           `json:"os_type"`
	KernelID     string            `json:"kernel_id"`
	RamdiskID    string            `json:"ramdisk_id"`
	State        string            `json:"state"`
	Task         string            `json:"state_description"`
	Progress     string            `json:"progress"`
	AccessIPv4   *string           `json:"access_ip_v4"`
	AccessIPv6   *string           `json:"access_ip_v6"`
	FixedIPs     []any             `json:"fixed_ips,omitempty"`
	ImageMeta    imageMeta         `json:"image_meta"`
	Metadata     map[string]string `json:"metadata"`
	*legacyUpdate
	ImageName string `json:"image_name,omitempty"`
	Message   string `json:"message,omitempty"`
}

// legacyUpdate is what compute.instance.update adds.
type legacyUpdate struct {
	OldState        string  `json:"old_state"`
	OldTask         *string `json:"old_task_state"`
	NewTask         *string `json:"new_task_state"`
	PeriodBeginning string  `json:"audit_period_beginning"`
	PeriodEnding    string  `json:"audit_period_ending"`
}

type imageMeta struct {
	MinRAM          string `json:"min_ram"`
	MinDisk         string `json:"min_disk"`
	DiskFormat      string `json:"disk_format"`
	ContainerFormat string `json:"container_format"`
	BaseImage       string `json:"base_image_ref"`
}

func legacyServer(s *server) *legacyPayload {
	return &legacyPayload{
		TenantID: s.project.ID, UserID: s.project.User.ID, InstanceID: s.id, DisplayName: s.name,
		Reservation: s.reservation, Hostname: hostname(s), Type: s.flavor.Name, TypeID: s.flavor.Number,
		FlavorID: s.flavor.ID, MemoryMB: s.flavor.MemoryMB, DiskGB: s.flavor.GB, VCPUs: s.flavor.VCPUs,
		RootGB: s.flavor.GB, Host: orNull(s.host), Node: orNull(s.host), Zone: availabilityZone,
		CreatedAt:    s.created.UTC().Format("2006-01-02 15:04:05-07:00"),
		TerminatedAt: micro(s.terminated.Truncate(time.Second)), LaunchedAt: micro(s.launched.Truncate(time.Second)),
		ImageRefURL: imageService + s.image.ID, State: s.vmState, Task: s.task,
		ImageMeta: imageMeta{
			MinRAM: "0", MinDisk: strconv.Itoa(s.flavor.GB), DiskFormat: s.image.DiskFormat,
			ContainerFormat: "bare", BaseImage: s.image.ID,
		},
		Metadata: map[string]string{},
	}
}

func legacyAddress(s *server) any {
	return struct {
		Address     string         `json:"address"`
		Type        string         `json:"type"`
		Version     int            `json:"version"`
		Meta        map[string]any `json:"meta"`
		FloatingIPs []string       `json:"floating_ips"`
		Label       string         `json:"label"`
		MAC         string         `json:"vif_mac"`
	}{s.ip, "fixed", 4, map[string]any{}, []string{}, s.project.Name, s.mac}
}

// versionedPayload is the common part of nova's InstanceUpdatePayload,
// InstanceActionPayload and InstanceCreatePayload, with the members that only
// some of them have left out where they are nil.
type versionedPayload struct {
	StateUpdate         any               `json:"state_update,omitempty"`
	AuditPeriod         any               `json:"audit_period,omitempty"`
	OldDisplayName      json.RawMessage   `json:"old_display_name,omitempty"`
	Keypairs            any               `json:"keypairs,omitempty"`
	Tags                json.RawMessage   `json:"tags,omitempty"`
	TrustedCertificates json.RawMessage   `json:"trusted_image_certificates,omitempty"`
	InstanceName        string            `json:"instance_name,omitempty"`
	Fault               json.RawMessage   `json:"fault,omitempty"`
	RequestID           string            `json:"request_id"`
	UUID                string            `json:"uuid"`
	UserID              string            `json:"user_id"`
	TenantID            string            `json:"tenant_id"`
	Reservation         string            `json:"reservation_id"`
	DisplayName         string            `json:"display_name"`
	Description         *string           `json:"display_description"`
	HostName            string            `json:"host_name"`
	Host                *string           `json:"host"`
	Node                *string           `json:"node"`
	OSType              *string           `json:"os_type"`
	Architecture        *string           `json:"architecture"`
	Zone                string            `json:"availability_zone"`
	Flavor              any               `json:"flavor"`
	ImageUUID           string            `json:"image_uuid"`
	KeyName             *string           `json:"key_name"`
	KernelID            string            `json:"kernel_id"`
	RamdiskID           string            `json:"ramdisk_id"`
	CreatedAt           *string           `json:"created_at"`
	LaunchedAt          *string           `json:"launched_at"`
	TerminatedAt        *string           `json:"terminated_at"`
	DeletedAt           *string           `json:"deleted_at"`
	UpdatedAt           *string           `json:"updated_at"`
	State               string            `json:"state"`
	PowerState          string            `json:"power_state"`
	Task                *string           `json:"task_state"`
	Progress            int               `json:"progress"`
	Addresses           []any             `json:"ip_addresses"`
	BlockDevices        []any             `json:"block_devices"`
	Metadata            map[string]string `json:"metadata"`
	Locked              bool              `json:"locked"`
	AutoDiskConfig      string            `json:"auto_disk_config"`
	InitiatorUser       string            `json:"action_initiator_user"`
	InitiatorProject    string            `json:"action_initiator_project"`
	LockedReason        *string           `json:"locked_reason"`
}

func versionedServer(s *server, request string) *versionedPayload {
	return &versionedPayload{
		RequestID: request, UUID: s.id, UserID: s.project.User.ID, TenantID: s.project.ID,
		Reservation: s.reservation, DisplayName: s.name, HostName: hostname(s),
		Host: orNull(s.host), Node: orNull(s.host), Zone: availabilityZone,
		Flavor: versionedFlavor(s.flavor), ImageUUID: s.image.ID, KeyName: orNull(s.keyName),
		CreatedAt: orZulu(s.created), LaunchedAt: orZulu(s.launched), TerminatedAt: orZulu(s.terminated),
		DeletedAt: orZulu(s.deleted), UpdatedAt: orZulu(s.updated),
		State: s.vmState, PowerState: s.power, Task: orNull(s.task),
		Addresses: versionedAddresses(s), BlockDevices: []any{}, Metadata: map[string]string{},
		AutoDiskConfig: "MANUAL", InitiatorUser: s.project.User.ID, InitiatorProject: s.project.ID,
	}
}

func versionedFlavor(f *flavor) any {
	return novaObject("FlavorPayload", "1.4", struct {
		ID          string            `json:"flavorid"`
		MemoryMB    int               `json:"memory_mb"`
		VCPUs       int               `json:"vcpus"`
		RootGB      int               `json:"root_gb"`
		EphemeralGB int               `json:"ephemeral_gb"`
		Name        string            `json:"name"`
		Swap        int               `json:"swap"`
		RxTxFactor  json.Number       `json:"rxtx_factor"`
		VCPUWeight  int               `json:"vcpu_weight"`
		Disabled    bool              `json:"disabled"`
		Public      bool              `json:"is_public"`
		ExtraSpecs  map[string]string `json:"extra_specs"`
		Projects    *[]string         `json:"projects"`
		Description *string           `json:"description"`
	}{
		ID: f.ID, MemoryMB: f.MemoryMB, VCPUs: f.VCPUs, RootGB: f.GB, Name: f.Name,
		RxTxFactor: "1.0", Public: true, ExtraSpecs: map[string]string{},
	})
}

func versionedAddresses(s *server) []any {
	if s.ip == "" {
		return []any{}
	}
	return []any{novaObject("IpPayload", "1.0", struct {
		Label   string         `json:"label"`
		MAC     string         `json:"mac"`
		Meta    map[string]any `json:"meta"`
		Port    string         `json:"port_uuid"`
		Version int            `json:"version"`
		Address string         `json:"address"`
		Device  string         `json:"device_name"`
	}{s.project.Name, s.mac, map[string]any{}, s.port, 4, s.ip, "tap" + s.port[:11]})}
}

func versionedKeypairs(s *server) []any {
	if s.keyName == "" {
		return []any{}
	}
	return []any{novaObject("KeypairPayload", "1.0", struct {
		UserID      string `json:"user_id"`
		Name        string `json:"name"`
		Fingerprint string `json:"fingerprint"`
		PublicKey   string `json:"public_key"`
		Type        string `json:"type"`
	}{s.project.User.ID, s.keyName, fingerprint, publicKey, "ssh"})}
}

// novaObject wraps data as oslo.versionedobjects serialises it.
func novaObject(name, version string, data any) any {
	return struct {
		Name      string `json:"nova_object.name"`
		Namespace string `json:"nova_object.namespace"`
		Version   string `json:"nova_object.version"`
		Data      any    `json:"nova_object.data"`
	}{name, "nova", version, data}
}

var rawNull, rawList = json.RawMessage("null"), json.RawMessage("[]")

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func zulu(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func orZulu(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := zulu(t)
	return &s
}

// micro is the form of most dates in unversioned notifications; one that has
// not come yet is an empty string there.
func micro(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000")
}

func paddedHex(n int) string {
	h := strconv.FormatInt(int64(n), 16)
	return strings.Repeat("0", max(0, 8-len(h))) + h
}

// hostname is the name that nova gives the guest: its display name, with what a
// host name may not have left out.
func hostname(s *server) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r == ' ' || r == '_' || r == '.':
			return '-'
		}
		return -1
	}, s.name)
	if name = strings.Trim(name, "-"); name == "" {
		return "server-" + s.id
	}
	return name[:min(len(name), 63)]
}
