package demo

// flavor is a size of server.
type flavor struct {
	ID, Name            string
	Number              int
	MemoryMB, VCPUs, GB int
}

// image is what a server is booted from. Images here are public: no project
// owns them.
type image struct {
	ID, Name, DiskFormat string
}

var flavors = []flavor{
	{"f1a2b354-882c-4342-86b7-9c6e35ff5ecd", "m1.tiny", 1, 512, 1, 1},
	{"0d9c4b1a-6e2f-4f0b-9a57-2c1d8e3f4a5b", "m1.small", 2, 2048, 1, 20},
	{"7b3e9f20-1c4d-4e8a-b6f5-8d2a0c9e7f13", "m1.medium", 3, 4096, 2, 40},
	{"c5f80a6d-93b7-4d21-8e4c-5a7b1f2d3e96", "m1.large", 4, 8192, 4, 80},
}

var images = []image{
	{"ed485d48-3fe0-445e-a704-b0ec2f7e693b", "debian-13", "qcow2"},
	{"2a6f7c31-84be-4e55-9d0a-7f1c3b5e8d24", "ubuntu-24.04", "qcow2"},
	{"91b0d5e8-6c27-4a9f-8f3d-0e4a2c7b6d58", "cirros-0.6.3", "qcow2"},
}

const (
	apiHost          = "controller"
	availabilityZone = "nova"
	imageService     = "http://controller:9292/images/"
)

var computeHosts = []string{"compute-1", "compute-2"}

// publicKey is what nova tells of a key pair when a server is made with it.
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9xK7mQv0o8hYbS1T3uW5xZ7cD9fG2jL4nP6rV8tB0e demo"
const fingerprint = "5a:c1:0e:77:92:3d:b8:46:f0:1b:2c:9d:8e:63:a4:d7"

// randomNames name the servers of the background life; one of them is outside
// ASCII, since names in real clouds are.
var randomNames = []string{
	"web", "worker", "cache", "queue", "build", "réseau", "mail", "metrics", "proxy", "search",
}
