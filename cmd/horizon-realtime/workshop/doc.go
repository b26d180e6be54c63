// Package workshop is what an author of filters works with: it makes a folder
// for a new one, builds it, tries it on golden cases and recorded
// notifications, measures and signs it.
//
// In: folders of Go source, .wasm files, and notifications as files. Out: files,
// and reports that the command line prints. Caller: the verbs of
// `horizon-realtime plugin`. What a filter does is found out by loading it into
// the router's own plugin host (Trial), with the router's own decoder before it
// and the router's own judgement of channels behind it, so that nothing here can
// be of another opinion than the router.
package workshop
