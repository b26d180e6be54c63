package sdk_test

import (
	"fmt"

	"horizon-realtime/sdk"
)

// Containers close by themselves, and a text that has been used can be written
// on: here a tenant gets the message, and an admin the same with one more member.
func ExampleJSON() {
	var j sdk.JSON
	m := j.Object()
	m.String("name", "web \"1\"\n")
	data := m.Object("data")
	addresses := data.Array("addresses")
	addresses.Object().String("address", "10.0.0.7")
	addresses.Object().String("address", "2001:db8::7")
	data.Int("cores", 4)
	fmt.Println(m.Text())
	data.String("host", "rack7")
	fmt.Println(m.Text())
	// Output:
	// {"name":"web \"1\"\n","data":{"addresses":[{"address":"10.0.0.7"},{"address":"2001:db8::7"}],"cores":4}}
	// {"name":"web \"1\"\n","data":{"addresses":[{"address":"10.0.0.7"},{"address":"2001:db8::7"}],"cores":4,"host":"rack7"}}
}

// Objects and arrays of a message come as JSON text and are read in passing.
func ExampleValue_Items() {
	ips := sdk.Parse(`[{"address":"10.0.0.7","version":4},{"address":"2001:db8::7","version":6}]`)
	for it := ips.Items(); it.Next(); {
		version, _ := it.Value().Member("version").Int()
		fmt.Println(it.Value().Member("address").Text(), version)
	}
	// Output:
	// 10.0.0.7 4
	// 2001:db8::7 6
}

func ExampleParse() {
	v := sdk.Parse(`{"task":null,"name":"caf\u00e9"}`)
	fmt.Println(v.Member("name").Text())
	fmt.Println(v.Member("task").Kind() == sdk.KindNull, v.Member("host").Kind() == sdk.KindAbsent)
	// Output:
	// café
	// true true
}
