package demo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"time"
)

//go:embed page/index.html page/page.css page/icon.svg
var pageFiles embed.FS

// bundle is what `make build` makes of page/page.js, horizon/js and the
// Centrifuge client. Without it the folder holds only a placeholder, so that the
// program builds without Node.
//
//go:embed all:dist
var bundle embed.FS

const missingBundle = "the demo page's script has not been built: run `make build` (it needs Node), then start again"

// assets are the page and its files, each with its hash as its ETag.
type assets struct {
	index []byte
	files map[string][]byte
}

func newAssets(deps Deps) *assets {
	a := &assets{files: map[string][]byte{}}
	for _, name := range []string{"page.js", "page.js.map", "page.js.LEGAL.txt"} {
		if text, err := fs.ReadFile(bundle, "dist/"+name); err == nil {
			a.files[name] = text
		}
	}
	for _, name := range []string{"page.css", "icon.svg"} {
		a.files[name] = mustRead("page/" + name)
	}
	if a.files["page.js"] == nil {
		deps.Log.Warn(missingBundle)
		return a
	}
	var index bytes.Buffer
	page := template.Must(template.New("index").Parse(string(mustRead("page/index.html"))))
	if err := page.Execute(&index, struct{ Prefix string }{trimPrefix(deps.Prefix)}); err != nil {
		panic(err) // the template is part of the program
	}
	a.index = index.Bytes()
	return a
}

func mustRead(name string) []byte {
	text, err := pageFiles.ReadFile(name)
	if err != nil {
		panic(err) // embedded: cannot be missing
	}
	return text
}

func (a *assets) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /project/instances", func(w http.ResponseWriter, r *http.Request) {
		if a.index == nil {
			http.Error(w, missingBundle, http.StatusServiceUnavailable)
			return
		}
		serve(w, r, "index.html", a.index)
	})
	mux.HandleFunc("GET /demo/assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		text, ok := a.files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		serve(w, r, name, text)
	})
}

func serve(w http.ResponseWriter, r *http.Request, name string, text []byte) {
	kind := mime.TypeByExtension(path.Ext(name))
	if kind == "" || path.Ext(name) == ".map" {
		kind = "application/json"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache") // ask again, with the ETag
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(text)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
}
