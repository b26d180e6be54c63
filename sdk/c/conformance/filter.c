/* The conformance plugin of the C SDK. What it does is described in
 * ../../conformance/README.md, in the same order. */
#include "../hr.h"

enum { VALUE, POINTER, ESCAPED, DOTTED, DO, KEY, TEXT, SECONDS };

static int64_t count;

static bool start(hr_value config) {
	hr_value refuse = hr_member(config, HR("refuse"));
	if (refuse.kind == HR_STRING)
		hr_log(HR_ERROR, refuse.text);
	return refuse.kind != HR_STRING;
}

static const hr_text kinds[] = {
	HR("absent"), HR("null"), HR("false"), HR("true"), HR("number"), HR("string"), HR("object"), HR("array"),
};

static void describe(hr_json *m, hr_value v) {
	int64_t n;
	bool b;
	hr_put_string(m, HR("kind"), kinds[v.kind]);
	if (v.kind == HR_STRING)
		hr_put_string(m, HR("text"), v.text);
	else
		hr_put_null(m, HR("text"));
	if (hr_int(v, &n))
		hr_put_int(m, HR("int"), n);
	else
		hr_put_null(m, HR("int"));
	if (hr_bool(v, &b))
		hr_put_bool(m, HR("bool"), b);
	else
		hr_put_null(m, HR("bool"));
	if (v.kind == HR_NUMBER)
		hr_put_string(m, HR("literal"), v.text);
	else
		hr_put_null(m, HR("literal"));
	hr_put_value(m, HR("value"), v);
}

static void described(hr_json *m, hr_text name, hr_value v) {
	hr_open_object(m, name);
	describe(m, v);
	hr_close(m);
}

static void put_standard(hr_json *m, hr_text name, hr_standard_field field) {
	hr_text t = hr_standard(field);
	if (t.n > 0)
		hr_put_string(m, name, t);
	else
		hr_put_null(m, name);
}

static void standard(hr_json *m) {
	put_standard(m, HR("type"), HR_EVENT_TYPE);
	put_standard(m, HR("publisher"), HR_PUBLISHER);
	put_standard(m, HR("priority"), HR_PRIORITY);
	put_standard(m, HR("message_id"), HR_MESSAGE_ID);
	put_standard(m, HR("time"), HR_TIMESTAMP);
	put_standard(m, HR("project"), HR_PROJECT);
	put_standard(m, HR("user"), HR_USER);
	put_standard(m, HR("request_id"), HR_REQUEST_ID);
	hr_put_int(m, HR("now"), hr_now());
}

static void walk(hr_json *m) {
	described(m, HR("member"), hr_member(hr_get(VALUE), HR("k")));
	hr_open_array(m, HR("items"));
	for (hr_items it = hr_each(hr_member(hr_get(VALUE), HR("list"))); hr_next(&it);)
		described(m, HR_ELEMENT, it.value);
	hr_close(m);
}

static void build(hr_json *m, hr_text text) {
	hr_put_string(m, HR("text"), text);
	hr_put_int(m, HR("min"), INT64_MIN);
	hr_put_int(m, HR("max"), INT64_MAX);
	hr_put_int(m, HR("zero"), 0);
	hr_put_bool(m, HR("yes"), true);
	hr_put_bool(m, HR("no"), false);
	hr_put_null(m, HR("nothing"));
	hr_open_object(m, HR("object"));
	hr_close(m);
	hr_open_array(m, HR("array"));
	hr_close(m);
	hr_open_object(m, HR("nested"));
	hr_open_array(m, HR("list"));
	hr_put_int(m, HR_ELEMENT, 1);
	hr_put_string(m, HR_ELEMENT, HR("two"));
	hr_put_bool(m, HR_ELEMENT, true);
	hr_put_null(m, HR_ELEMENT);
	hr_open_array(m, HR_ELEMENT);
	hr_put_int(m, HR_ELEMENT, 3);
	hr_close(m);
	hr_open_object(m, HR_ELEMENT);
	hr_put_int(m, HR("four"), 4);
	hr_close(m);
	hr_close(m);
	hr_put_string(m, HR("after"), text);
	hr_close(m);
	hr_put_int(m, text, 5);
}

static void store(hr_json *m) {
	hr_text what = hr_string(hr_get(DO)), key = hr_string(hr_get(KEY)), text = hr_string(hr_get(TEXT));
	int64_t n = 0;
	hr_int(hr_get(SECONDS), &n);
	uint32_t seconds = (uint32_t)n;
	hr_found found = hr_kv_get(key);
	if (hr_equal(what, HR("set"))) {
		hr_put_bool(m, HR("done"), hr_kv_set(key, text, seconds));
	} else if (hr_equal(what, HR("create"))) {
		hr_put_bool(m, HR("done"), hr_kv_swap(key, text, seconds, 0));
	} else if (hr_equal(what, HR("swap"))) {
		hr_put_bool(m, HR("done"), hr_kv_swap(key, text, seconds, found.version));
	} else if (hr_equal(what, HR("stale"))) {
		hr_kv_set(key, text, seconds);
		hr_put_bool(m, HR("done"), hr_kv_swap(key, text, seconds, found.version));
	} else if (hr_equal(what, HR("get"))) {
		hr_put_bool(m, HR("found"), found.version != 0);
		if (found.version != 0)
			hr_put_string(m, HR("text"), found.value);
		else
			hr_put_null(m, HR("text"));
	} else if (hr_equal(what, HR("length"))) {
		hr_put_int(m, HR("bytes"), found.value.n);
	} else if (hr_equal(what, HR("delete"))) {
		hr_put_bool(m, HR("done"), hr_kv_delete(key));
	}
}

static void emit(void) {
	hr_json m = hr_object();
	hr_put_int(&m, HR("n"), 1);
	hr_emit(hr_project(hr_standard(HR_PROJECT), HR("first")), HR("k1"), 0, &m);
	m = hr_object();
	hr_put_int(&m, HR("n"), 2);
	hr_emit(hr_user(hr_standard(HR_USER), HR("second")), HR(""), 0, &m);
	m = hr_object();
	hr_emit(hr_admin(HR("third")), HR("k3"), HR_REMOVED, &m);
}

static void say(hr_json *m) {
	hr_emit(hr_project(hr_standard(HR_PROJECT), HR("conformance")), hr_standard(HR_MESSAGE_ID), 0, m);
}

static void handle(void) {
	hr_json m = hr_object();
	hr_text type = hr_standard(HR_EVENT_TYPE), beginning = HR("volume.conformance.");
	count++;
	if (hr_equal(type, HR("conformance.exact"))) {
		hr_put_bool(&m, HR("heard"), true);
		hr_emit(hr_admin(HR("conformance")), HR(""), 0, &m);
		return;
	}
	type.at += beginning.n;
	type.n -= beginning.n;
	if (hr_equal(type, HR("value"))) {
		described(&m, HR("wanted"), hr_get(VALUE));
		described(&m, HR("asked"), hr_field(HR("/payload/value")));
	} else if (hr_equal(type, HR("size"))) {
		hr_put_string(&m, HR("kind"), kinds[hr_get(VALUE).kind]);
		hr_put_int(&m, HR("bytes"), hr_string(hr_get(VALUE)).n);
		hr_put_int(&m, HR("asked"), hr_string(hr_field(HR("/payload/value"))).n);
		hr_put_string(&m, HR("after"), hr_string(hr_get(DOTTED)));
	} else if (hr_equal(type, HR("pointers"))) {
		described(&m, HR("escaped"), hr_get(ESCAPED));
		described(&m, HR("dotted"), hr_get(DOTTED));
	} else if (hr_equal(type, HR("field"))) {
		describe(&m, hr_field(hr_string(hr_get(POINTER))));
	} else if (hr_equal(type, HR("standard"))) {
		standard(&m);
	} else if (hr_equal(type, HR("raw"))) {
		hr_text raw = hr_raw();
		if (raw.n > 10000)
			hr_put_int(&m, HR("bytes"), raw.n);
		else
			hr_put_value(&m, HR("message"), hr_parse(raw));
	} else if (hr_equal(type, HR("walk"))) {
		walk(&m);
	} else if (hr_equal(type, HR("over"))) {
		double f;
		if (hr_double(hr_get(VALUE), &f))
			hr_put_bool(&m, HR("over"), f > 0.75);
		else
			hr_put_null(&m, HR("over"));
	} else if (hr_equal(type, HR("parse"))) {
		describe(&m, hr_parse(hr_string(hr_get(VALUE))));
	} else if (hr_equal(type, HR("build"))) {
		build(&m, hr_string(hr_get(VALUE)));
	} else if (hr_equal(type, HR("cut"))) {
		hr_put_string(&m, HR("text"), (hr_text){hr_string(hr_get(VALUE)).at, 2});
	} else if (hr_equal(type, HR("config"))) {
		described(&m, HR("greeting"), hr_member(hr_config(), HR("greeting")));
		hr_put_value(&m, HR("config"), hr_config());
	} else if (hr_equal(type, HR("log"))) {
		for (hr_level level = HR_DEBUG; level <= HR_ERROR; level++)
			hr_log(level, hr_string(hr_get(VALUE)));
		return;
	} else if (hr_equal(type, HR("store"))) {
		store(&m);
	} else if (hr_equal(type, HR("emit"))) {
		emit();
		return;
	} else if (hr_equal(type, HR("stop"))) {
		hr_put_bool(&m, HR("stopping"), true);
		hr_stop();
	} else if (hr_equal(type, HR("hush"))) {
		hr_stop();
		return;
	} else if (hr_equal(type, HR("count"))) {
		hr_put_int(&m, HR("count"), count);
	} else if (hr_equal(type, HR("trap"))) {
		say(&m);
		hr_fail(HR("told to"));
	} else {
		return;
	}
	say(&m);
}

HR_FILTER("on volume.conformance.*\n"
          "on conformance.exact\n"
          "want /payload/value\n"
          "want /payload/pointer\n"
          "want /payload/list/1/a~1b~0c\n"
          "want /payload/nova_object.data/uuid\n"
          "want /payload/do\n"
          "want /payload/key\n"
          "want /payload/text\n"
          "want /payload/seconds\n",
          start, handle)
