package session

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// spellings is what ann of project p1 may not hear, in every spelling that
// something on the way might take for it, and what she is answered. The JSON is
// sent as it stands.
var spellings = map[string]struct {
	json string
	code int
}{
	"another project":             {`"project/p2/a"`, 103},
	"another project's all":       {`"project/p2/*"`, 103},
	"another user":                {`"user/bob/a"`, 103},
	"another user's all":          {`"user/bob/*"`, 103},
	"own name as a project":       {`"project/ann/a"`, 103},
	"own project as a user":       {`"user/p1/a"`, 103},
	"admin":                       {`"admin/a"`, 103},
	"all of admin":                {`"admin/*"`, 103},
	"escaped slashes":             {`"project\/p2\/a"`, 103},
	"escaped letters":             {`"\u0070roject\u002fp2\u002fa"`, 103},
	"escaped star":                {`"project/p2/\u002a"`, 103},
	"upper case id":               {`"project/P2/a"`, 103},
	"upper case own id":           {`"project/P1/a"`, 103},
	"own id and more":             {`"project/p12/a"`, 103},
	"beginning of own id":         {`"project/p/a"`, 103},
	"upper case scope":            {`"PROJECT/p2/a"`, 102},
	"mixed case scope":            {`"Project/p2/a"`, 102},
	"upper case topic":            {`"project/p2/A"`, 102},
	"percent slash":               {`"project%2fp2%2fa"`, 102},
	"percent in the id":           {`"project/p%32/a"`, 102},
	"percent twice":               {`"project/p1%252f..%252fp2/a"`, 102},
	"percent star":                {`"project/p2/%2a"`, 102},
	"percent dots":                {`"project/p1/%2e%2e/p2/a"`, 102},
	"plus":                        {`"project/p2+/a"`, 102},
	"dots":                        {`"project/p1/../p2/a"`, 102},
	"dots from the scope":         {`"public/../project/p2/a"`, 102},
	"dots for an id":              {`"project/../a"`, 102},
	"dots for a topic":            {`"project/p1/.."`, 102},
	"a dot":                       {`"project/./p2/a"`, 102},
	"dots in front":               {`"../project/p2/a"`, 102},
	"dotted topic":                {`"project/p2.a"`, 102},
	"back slashes":                {`"project\\p2\\a"`, 102},
	"back slash dots":             {`"project/p1\\..\\p2/a"`, 102},
	"slash in front":              {`"/project/p2/a"`, 102},
	"slash behind":                {`"project/p2/a/"`, 102},
	"two slashes":                 {`"project//p2/a"`, 102},
	"empty id":                    {`"project//a"`, 102},
	"empty topic":                 {`"project/p2/"`, 102},
	"no topic":                    {`"project/p2"`, 102},
	"one more segment":            {`"project/p1/a/../../p2/a"`, 102},
	"own and another":             {`"project/p1/project/p2/a"`, 102},
	"everything":                  {`"*"`, 102},
	"two stars":                   {`"**"`, 102},
	"all projects":                {`"project/*"`, 102},
	"all projects' topic":         {`"project/*/a"`, 102},
	"all projects' all":           {`"project/*/*"`, 102},
	"all users' all":              {`"user/*/*"`, 102},
	"all scopes":                  {`"*/p2/a"`, 102},
	"half an id":                  {`"project/p*/a"`, 102},
	"half a topic":                {`"project/p2/a*"`, 102},
	"two stars for a topic":       {`"project/p2/**"`, 102},
	"star and more":               {`"project/p2/*/a"`, 102},
	"one character":               {`"project/p?/a"`, 102},
	"set":                         {`"project/p[12]/a"`, 102},
	"choice":                      {`"project/{p1,p2}/a"`, 102},
	"regular expression":          {`"project/.*/a"`, 102},
	"AMQP words":                  {`"project.#"`, 102},
	"MQTT levels":                 {`"project/+/a"`, 102},
	"MQTT rest":                   {`"project/#"`, 102},
	"list with a comma":           {`"project/p1/a,project/p2/a"`, 102},
	"list with a blank":           {`"project/p1/a project/p2/a"`, 102},
	"list with a line break":      {`"project/p1/a\nproject/p2/a"`, 102},
	"NUL in the id":               {`"project/p2\u0000/a"`, 102},
	"NUL behind":                  {`"project/p2/a\u0000"`, 102},
	"own, NUL, another":           {`"project/p1/a\u0000project/p2/a"`, 102},
	"blank in front":              {`" project/p2/a"`, 102},
	"blank behind":                {`"project/p2/a "`, 102},
	"blank in the id":             {`"project/p2 /a"`, 102},
	"tab behind":                  {`"project/p2/a\t"`, 102},
	"line break behind":           {`"project/p2/a\r\n"`, 102},
	"delete character":            {`"project/p2\u007f/a"`, 102},
	"backspace":                   {`"project/p1\b2/a"`, 102},
	"Cyrillic p":                  {`"project/р2/a"`, 102},
	"Cyrillic in the scope":       {`"рroject/p2/a"`, 102},
	"full-width p":                {`"project/ｐ2/a"`, 102},
	"full-width digit":            {`"project/p２/a"`, 102},
	"full-width slash":            {`"project／p2／a"`, 102},
	"fraction slash":              {`"project⁄p2⁄a"`, 102},
	"division slash":              {`"project∕p2∕a"`, 102},
	"small asterisk":              {`"project/p2/﹡"`, 102},
	"superscript":                 {`"project/p²/a"`, 102},
	"combining mark":              {`"project/p2\u0301/a"`, 102},
	"zero-width space":            {`"project/p2\u200b/a"`, 102},
	"zero-width joiner":           {`"project/p\u200d2/a"`, 102},
	"soft hyphen":                 {`"project/p\u00ad2/a"`, 102},
	"right to left":               {`"\u202eproject/p2/a"`, 102},
	"byte order mark":             {`"\ufeffproject/p2/a"`, 102},
	"no-break space":              {`"project/p2/a\u00a0"`, 102},
	"Kelvin sign":                 {`"project/\u212a/a"`, 102},
	"dotless i":                   {`"publ\u0131c/a"`, 102},
	"long s":                      {`"u\u017fer/bob/a"`, 102},
	"lone surrogate":              {`"project/p2\ud800/a"`, 102},
	"overlong slash":              {"\"project/p1\xc0\xafp2/a\"", 102}, // a websocket refuses it before, as no UTF-8
	"private prefix":              {`"$project/p2/a"`, 102},
	"namespace":                   {`"ns:project/p2/a"`, 102},
	"user boundary":               {`"project/p2/a#ann"`, 102},
	"query":                       {`"project/p2/a?as=p1"`, 102},
	"fragment":                    {`"project/p1#/../p2/a"`, 102},
	"URL":                         {`"http://localhost/project/p2/a"`, 102},
	"path parameter":              {`"project/p2;p1/a"`, 102},
	"at":                          {`"project/p1@p2/a"`, 102},
	"quote":                       {`"project/p1\"},\"x\":{\"channel\":\"project/p2/a"`, 102},
	"SQL":                         {`"project/p1' OR '1'='1/a"`, 102},
	"format":                      {`"project/%s%n/a"`, 102},
	"65 characters of an id":      {`"project/` + strings.Repeat("p", 65) + `/a"`, 102},
	"65 characters of a topic":    {`"project/p1/` + strings.Repeat("a", 65) + `"`, 102},
	"long":                        {`"project/p2/` + strings.Repeat("../", 15_000) + `a"`, 102},
	"nothing":                     {`""`, 102},
	"null":                        {`null`, 102},
	"another scope":               {`"private/p2/a"`, 102},
	"scope of the implementation": {`"none/a"`, 102},
}

// eavesdropped is what is published to those who may hear it, while ann listens
// under every spelling.
var eavesdropped = []string{"project/p2/a", "project/p12/a", "project/P1/a", "project/P2/a", "project/p/a", "project/ann/a",
	"user/bob/a", "user/p1/a", "admin/a"}

// TestSpellings subscribes to what is not the client's under every name that
// might pass for one that is.
func TestSpellings(t *testing.T) {
	cfg := DefaultConfig()
	cfg.CommandsPerSecond = 1_000_000
	w := start(t, cfg)
	ann := w.connected(t, "ann@p1")
	for name, c := range spellings {
		t.Run(name, func(t *testing.T) {
			for _, verb := range []struct {
				name string
				code int
			}{{"subscribe", c.code}, {"sub_refresh", 107}, {"history", 108}, {"presence", 108}, {"presence_stats", 108}, {"publish", 108}} {
				command := fmt.Sprintf(`{"id":7,%q:{"channel":%s,"recover":true,"epoch":%q,"offset":0}}`, verb.name, c.json, w.hub.Epoch())
				want := fmt.Sprintf(`{"id":7,"error":{"code":%d,`, verb.code)
				ann.say(command)
				if line := string(ann.next()); !strings.HasPrefix(line, want) || strings.Contains(line, "p2") {
					t.Errorf("%s: %s", verb.name, line)
				}
			}
		})
	}
	if n := len(ann.session.subs); n != 0 {
		t.Errorf("there are %d subscriptions", n)
	}
	ann.subscribe("project/p1/*")
	for _, channel := range eavesdropped {
		w.hub.Say(t, channel, `"not for ann"`)
	}
	w.hub.Say(t, "project/p1/a", `"for ann"`)
	if m := ann.hear(); m.Push == nil || string(m.Push.Pub.Data) != `"for ann"` {
		t.Errorf("heard %+v", m.Push)
	}
}

// TestChannelsOfOddTypes has channel names that are no strings, which nothing may
// take for one.
func TestChannelsOfOddTypes(t *testing.T) {
	w := start(t, DefaultConfig())
	for name, text := range map[string]string{
		"list": `["project/p2/a"]`, "object": `{"name":"project/p2/a"}`, "number": `2`, "true": `true`, "bytes": `[112,114]`,
	} {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(text)) {
				t.Fatal("the case is wrong")
			}
			c := w.connected(t, "ann@p1")
			c.say(`{"id":7,"subscribe":{"channel":` + text + `}}`)
			if code := c.ends(); code != 3501 {
				t.Errorf("ended with %d", code)
			}
		})
	}
	t.Run("twice", func(t *testing.T) {
		c := w.connected(t, "ann@p1")
		c.say(`{"id":7,"subscribe":{"channel":"project/p1/a","channel":"project/p2/a"}}`)
		if m := c.hear(); m.Error == nil || m.Error.Code != 103 {
			t.Errorf("%+v", m)
		}
	})
	t.Run("twice, in another case", func(t *testing.T) {
		c := w.connected(t, "ann@p1")
		c.say(`{"id":7,"subscribe":{"channel":"project/p1/a","CHANNEL":"project/p2/a"}}`)
		if m := c.hear(); m.Error == nil || m.Error.Code != 103 {
			t.Errorf("%+v", m)
		}
	})
	t.Run("a subscription's own word for who asks", func(t *testing.T) {
		c := w.connected(t, "ann@p1")
		c.say(`{"id":7,"subscribe":{"channel":"project/p2/a","token":"root@p2","project_id":"p2","roles":["admin"],"info":{"user":"bob"}}}`)
		if m := c.hear(); m.Error == nil || m.Error.Code != 103 {
			t.Errorf("%+v", m)
		}
	})
}
