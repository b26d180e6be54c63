// Package compile turns plugins' modules into machine code, in processes of their
// own, and keeps the code in a folder.
//
// In: a module's bytes, with the limits of the plugin. Out: a guest.Module that is
// ready to be started, or a sentence that says why there is none. Package plugin
// calls it, once per file that is new.
//
// A module's way: the cache may have it (entry.go). If not, this program starts
// itself as a child that checks, rewrites and compiles the module (child.go) within
// limits of memory and time (process.go), and leaves an entry in the cache. The
// router itself never compiles: it loads entries.
package compile
