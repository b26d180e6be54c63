//go:build wasip1

// Command jsonguest is what the benchmarks meter: a guest that decodes a nova
// notification with encoding/json, and one that runs a tight loop.
package main

import "encoding/json"

func main() {}

var message = []byte(`{"event_type":"compute.instance.update","publisher_id":"compute.devstack","priority":"INFO",
"message_id":"be8d62f4-7e4e-4b0a-9a9a-4ec55b7c2a11","timestamp":"2026-11-23 10:00:00.123456","payload":{
"state_description":"","availability_zone":"nova","terminated_at":"","ephemeral_gb":0,"instance_type_id":5,
"deleted_at":"","reservation_id":"r-0xqg1zpv","instance_id":"ea1c7a5f-5d6b-4a0c-8a5e-0cf0a6d0a4ab","user_id":
"a7a5cf2a8c8a4a5c9d0e1f2a3b4c5d6e","hostname":"web-1","state":"active","old_state":"building","launched_at":
"2026-11-23T10:00:00.000000","metadata":{"role":"web","tier":"front"},"node":"compute1","ramdisk_id":"",
"access_ip_v6":null,"disk_gb":1,"access_ip_v4":null,"kernel_id":"","host":"compute1","display_name":"web-1",
"image_ref_url":"http://glance/images/3a9ae54f-7c63-4f1a-a5a5-8b9a1a3b5c7d","audit_period_beginning":
"2026-11-23T09:00:00.000000","root_gb":1,"tenant_id":"b6f1c2d3e4f5061728394a5b6c7d8e9f","created_at":
"2026-11-23 09:59:30+00:00","memory_mb":512,"instance_type":"m1.tiny","vcpus":1,"image_meta":{"min_disk":"1",
"container_format":"bare","min_ram":"0","disk_format":"qcow2","base_image_ref":"3a9ae54f-7c63-4f1a-a5a5-8b9a1a3b5c7d"},
"architecture":null,"new_task_state":null,"audit_period_ending":"2026-11-23T10:00:00.000000","os_type":null,
"instance_flavor_id":"1","bandwidth":{"public":{"bw_in":1234567,"bw_out":7654321}},"tags":["a","b","c"]}}`)

//go:wasmexport decode
func decode() int32 {
	var v map[string]any
	if err := json.Unmarshal(message, &v); err != nil {
		return -1
	}
	return int32(len(v["payload"].(map[string]any)))
}

//go:wasmexport spin
func spin(n int32) int32 {
	x := int32(1)
	for i := int32(0); i < n; i++ {
		x = x*1664525 + 1013904223 ^ i
	}
	return x
}
