/* hr.h is what a plugin for horizon-realtime is written with in C: this one
 * header, included by the plugin's one file, and no libc. README.md beside it
 * says how to build; the ABI underneath is docs/plugin-abi.md, version 1.
 *
 *	#include "hr.h"
 *
 *	enum { VOLUME, SIZE }; // the wanted fields, in the order of their lines
 *
 *	static void handle(void) {
 *		hr_text volume = hr_string(hr_get(VOLUME));
 *		hr_json m = hr_object();
 *		hr_put_string(&m, HR("volume"), volume);
 *		hr_put_value(&m, HR("gigabytes"), hr_get(SIZE));
 *		hr_emit(hr_project(hr_standard(HR_PROJECT), HR("sizes")), volume, 0, &m);
 *	}
 *
 *	HR_FILTER("on volume.resize.end\n"
 *	          "want /payload/volume_id\n"
 *	          "want /payload/size\n", NULL, handle)
 *
 * Everything that an event hands out, and what hr_alloc gives, is valid until
 * the handler returns; what is handed out within start stays valid. A plugin's
 * variables are those of one of its copies: what has to be remembered goes into
 * the store (hr_kv_set). Apache License 2.0.
 */
#ifndef HR_H
#define HR_H

#pragma clang diagnostic ignored "-Wunused-function" /* no plugin uses all of it */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Texts and values ---- */

/* hr_text is UTF-8, without a zero at its end. HR makes one of a literal. */
typedef struct {
	const char *at;
	uint32_t n;
} hr_text;

#define HR(literal) ((hr_text){"" literal, sizeof(literal) - 1})

/* The kinds of a value. HR_ABSENT: there is no such member, or it was a secret. */
typedef enum { HR_ABSENT, HR_NULL, HR_FALSE, HR_TRUE, HR_NUMBER, HR_STRING, HR_OBJECT, HR_ARRAY } hr_kind;

/* hr_value is a value of the notification, the configuration, or some JSON. Its
 * text is decoded where it is a string, the literal of a number, and JSON where
 * it is an object or an array. */
typedef struct {
	hr_kind kind;
	hr_text text;
} hr_value;

/* hr_equal reports whether two texts are the same. */
static bool hr_equal(hr_text a, hr_text b);

/* hr_string is the content of a string, and empty for anything else. */
static hr_text hr_string(hr_value v);

/* hr_int, hr_double and hr_bool report whether the value is one, and set it then:
 * a number without fraction that fits into 64 bits; any number, to its last
 * digit or two; true or false. */
static bool hr_int(hr_value v, int64_t *out);
static bool hr_double(hr_value v, double *out);
static bool hr_bool(hr_value v, bool *out);

/* hr_parse reads JSON of the plugin's own. What is none is absent. */
static hr_value hr_parse(hr_text json);

/* hr_member is an object's member of that name, the last of several; absent if
 * there is none or v is no object. */
static hr_value hr_member(hr_value v, hr_text name);

/* hr_items goes through an object's members or an array's elements:
 *
 *	for (hr_items it = hr_each(v); hr_next(&it);)
 *		use(it.key, it.value); // the key is empty in an array
 */
typedef struct {
	hr_text key;
	hr_value value;
	const char *p, *end;
	bool object, begun;
} hr_items;

static hr_items hr_each(hr_value v);
static bool hr_next(hr_items *it);

/* ---- The notification ---- */

/* The standard fields. HR_PROJECT and HR_USER own what it is about. */
typedef enum { HR_EVENT_TYPE, HR_PUBLISHER, HR_PRIORITY, HR_MESSAGE_ID, HR_TIMESTAMP, HR_PROJECT, HR_USER, HR_REQUEST_ID } hr_standard_field;

/* hr_standard is a standard field, empty where it is absent. */
static hr_text hr_standard(hr_standard_field field);

/* hr_get is the wanted field of the n-th want line, from 0. */
static hr_value hr_get(uint32_t n);

/* hr_field is any field, by its JSON Pointer, at the price of a call. A pointer
 * that is none fails the filter. */
static hr_value hr_field(hr_text pointer);

/* hr_raw is the whole notification as JSON, without its secrets. */
static hr_text hr_raw(void);

/* hr_now is when it was sent, in nanoseconds since 1970. */
static int64_t hr_now(void);

/* ---- The answer ---- */

/* hr_channel is where a message goes. Only the project and the user that own the
 * resource may be told without a grant. */
typedef struct {
	hr_text scope, id, topic;
	bool owned; /* the scope's channels have an owner */
} hr_channel;

static hr_channel hr_project(hr_text id, hr_text topic);
static hr_channel hr_user(hr_text id, hr_text topic);
static hr_channel hr_admin(hr_text topic);  /* takes the grant admin */
static hr_channel hr_public(hr_text topic); /* takes the grant cross_project */

typedef struct {
	char *at;
	uint32_t n, room;
} hr_buffer;

/* hr_json builds one JSON value, valid whatever it is given. A member that is
 * written again takes the place of the one before. A number that JavaScript would
 * change, an integer beyond 2^53 or what is too large altogether, becomes a
 * string: the router refuses such numbers. */
typedef struct {
	hr_buffer text;
	uint32_t depth;
	char ends[64];
	/* names are where the members of the open objects begin, 4 bytes each, and
	 * first where those of a container begin. */
	hr_buffer names;
	uint32_t first[64];
} hr_json;

/* hr_object and hr_array begin a value. Within an array, each item's name is
 * HR_ELEMENT. hr_open_… begin a container inside, hr_close ends the innermost;
 * those that are open at the end are closed by hr_emit. */
static hr_json hr_object(void);
static hr_json hr_array(void);
#define HR_ELEMENT ((hr_text){NULL, 0})
static void hr_put_string(hr_json *j, hr_text name, hr_text value); /* what is no UTF-8 becomes U+FFFD */
static void hr_put_int(hr_json *j, hr_text name, int64_t value);
static void hr_put_bool(hr_json *j, hr_text name, bool value);
static void hr_put_null(hr_json *j, hr_text name);
static void hr_put_value(hr_json *j, hr_text name, hr_value v); /* nothing where it is absent */
static void hr_open_object(hr_json *j, hr_text name);
static void hr_open_array(hr_json *j, hr_text name);
static void hr_close(hr_json *j);

/* hr_emit publishes the JSON. The key is the id of the resource, or empty; the
 * flag HR_REMOVED says that it is gone. To a project or user without an id,
 * nothing is sent. */
enum { HR_REMOVED = 1 };
static void hr_emit(hr_channel to, hr_text key, uint32_t flags, hr_json *payload);

/* hr_stop keeps the notification from the plugins that come later. */
static void hr_stop(void);

/* ---- The router ---- */

typedef enum { HR_DEBUG, HR_INFO, HR_WARN, HR_ERROR } hr_level;

/* hr_log writes a line to the router's log. */
static void hr_log(hr_level level, hr_text line);

/* hr_fail logs why, and gives this notification up. */
_Noreturn static void hr_fail(hr_text why);

/* hr_config is the plugin's configuration, an object. */
static hr_value hr_config(void);

/* The store is one for all copies of the filter. A version of 0 says that there
 * is no such key. Seconds to live of 0 are as many as there may be. hr_kv_swap
 * writes only if the key is still at that version. */
typedef struct {
	hr_text value;
	uint32_t version;
} hr_found;

static hr_found hr_kv_get(hr_text key);
static bool hr_kv_set(hr_text key, hr_text value, uint32_t seconds);
static bool hr_kv_swap(hr_text key, hr_text value, uint32_t seconds, uint32_t version);
static bool hr_kv_delete(hr_text key);

/* hr_alloc gives memory until the event's end. */
static void *hr_alloc(uint32_t n);

/* HR_FILTER makes the module. declaration is a literal of lines, as in the
 * example above. start, or NULL, is `bool start(hr_value config)`: false keeps
 * the plugin from being loaded; log why. handle is `void handle(void)`. */
#define HR_FILTER(declaration, start, handle)                                                    \
	__attribute__((export_name("hr_abi_1"))) void hr_export_abi(void) {}                         \
	__attribute__((export_name("hr_init"))) uint64_t hr_export_init(void) {                      \
		return hr__init(HR(declaration), start);                                                 \
	}                                                                                            \
	__attribute__((export_name("hr_event"))) uint64_t hr_export_event(void) {                    \
		hr__begin();                                                                             \
		handle();                                                                                \
		return hr__block(hr__result.at, hr__result.n);                                           \
	}

/* ======== What is below is not for filters. ======== */

#define HR__IMPORT(name) __attribute__((import_module("hr"), import_name(#name)))
HR__IMPORT(subscribe) void hr__subscribe(const char *text, uint32_t n);
HR__IMPORT(config) uint32_t hr__config(char *buffer, uint32_t limit);
HR__IMPORT(log) void hr__log(uint32_t level, const char *text, uint32_t n);
HR__IMPORT(field) uint32_t hr__field(const char *path, uint32_t n, char *buffer, uint32_t limit);
HR__IMPORT(raw) uint32_t hr__raw(char *buffer, uint32_t limit);
HR__IMPORT(kv_get) uint64_t hr__kv_get(const char *key, uint32_t n, char *buffer, uint32_t limit);
HR__IMPORT(kv_set) uint32_t hr__kv_set(const char *key, uint32_t n, const char *value, uint32_t m, uint32_t seconds, uint32_t version);
HR__IMPORT(kv_delete) uint32_t hr__kv_delete(const char *key, uint32_t n);
HR__IMPORT(now) int64_t hr__now(void);

enum {
	HR__SCRATCH = 32 << 10, /* what does not fit is read by itself */
	HR__HEADER = 16,
	HR__ENTRY = 8,
	HR__STANDARD = 8,
	HR__TOO_BIG = 8,
	HR__LENGTH_BITS = 28,
	HR__LENGTH = (1 << HR__LENGTH_BITS) - 1,
	HR__EMIT = 1,
	HR__STOP = 2,
	HR__PAGE = 64 << 10,
};

static _Alignas(8) char hr__scratch[HR__SCRATCH];
static hr_text hr__declaration;
static hr_buffer hr__result;

/* ---- Memory: pages that this header has had added to the module's, and that
 * nobody else knows, not even a malloc that the plugin brings along. What lies
 * behind hr__floor is forgotten at the next event. ---- */

static uintptr_t hr__floor, hr__free, hr__end;

_Noreturn static void hr_fail(hr_text why) {
	hr__log(HR_ERROR, why.at, why.n);
	__builtin_trap();
}

/* hr__grow makes room for n bytes, at `at` if that is at the memory's end. If
 * somebody else has been given the pages behind it, it moves on, to twice the
 * size: all that is left behind is smaller than what there is. */
static uintptr_t hr__grow(uintptr_t at, uint32_t n) {
	uintptr_t end = __builtin_wasm_memory_size(0) * (uintptr_t)HR__PAGE;
	bool stays = end == hr__end;
	uint64_t wanted = stays ? (uint64_t)at + n - end : 2 * (uint64_t)(hr__end - hr__floor);
	if (!stays && wanted < n)
		wanted = n;
	uint32_t pages = (uint32_t)(wanted / HR__PAGE) + 1;
	if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1)
		hr_fail(HR("hr.h: out of memory; raise its memory"));
	hr__end = end + pages * (uintptr_t)HR__PAGE;
	if (stays)
		return at;
	return hr__floor = end;
}

static void *hr_alloc(uint32_t n) {
	uintptr_t at = (hr__free + 7) & ~(uintptr_t)7;
	if ((uint64_t)at + n > hr__end)
		at = hr__grow(at, n);
	hr__free = at + n;
	return (void *)at;
}

/* hr__special has a byte's highest bit set if a JSON string may not hold one of the
 * eight as it is, which is what it nearly always may: ASCII without control
 * characters, quotes and backslashes. A quote differs in one bit from a space, the
 * first that is no control character. */
static uint64_t hr__special(uint64_t w) {
	const uint64_t ones = 0x0101010101010101;
	return (w | ((w ^ ones * 0x02) - ones * 0x21) | ((w ^ ones * '\\') - ones)) & ones << 7;
}

/* hr__copy also reports whether a byte is special. A call of memcpy takes longer than
 * most texts. What is read and written twice is cheaper than a loop. */
__attribute__((always_inline)) static inline bool hr__copy(char *to, const char *from, uint32_t n) {
	uint64_t w, special = 0;
	if (n < 4) {
		if (n == 0)
			return false;
		char first = from[0], middle = from[n / 2], last = from[n - 1];
		to[0] = first, to[n / 2] = middle, to[n - 1] = last;
		return hr__special(0x2020202020000000 | (uint64_t)(unsigned char)first << 16 | (uint64_t)(unsigned char)middle << 8 | (unsigned char)last) != 0;
	}
	if (n < 8) {
		uint32_t first, last;
		__builtin_memcpy(&first, from, 4);
		__builtin_memcpy(&last, from + n - 4, 4);
		__builtin_memcpy(to, &first, 4);
		__builtin_memcpy(to + n - 4, &last, 4);
		return hr__special((uint64_t)last << 32 | first) != 0;
	}
	for (uint32_t i = 0; i < n - 8; i += 8) {
		__builtin_memcpy(&w, from + i, 8);
		__builtin_memcpy(to + i, &w, 8);
		special |= hr__special(w);
	}
	__builtin_memcpy(&w, from + n - 8, 8);
	__builtin_memcpy(to + n - 8, &w, 8);
	return (special | hr__special(w)) != 0;
}

__attribute__((noinline)) static void hr__make_room(hr_buffer *b, uint32_t n) {
	uint32_t room = 2 * b->room > b->n + n ? 2 * b->room : b->n + n + 1024;
	char *at = hr_alloc(room);
	hr__copy(at, b->at, b->n);
	b->at = at;
	b->room = room;
}

/* hr__extend makes room for n more bytes, and gives it. */
static inline char *hr__extend(hr_buffer *b, uint32_t n) {
	if (b->room - b->n < n)
		hr__make_room(b, n);
	b->n += n;
	return b->at + b->n - n;
}

static void hr__append(hr_buffer *b, hr_text t) { hr__copy(hr__extend(b, t.n), t.at, t.n); }
static void hr__append_char(hr_buffer *b, char c) { *hr__extend(b, 1) = c; }

/* ---- The module's side of the border ---- */

static uint64_t hr__block(const char *at, uint32_t n) { return n == 0 ? 0 : (uint64_t)(uintptr_t)at << 32 | n; }

static void hr__begin(void) {
	hr__free = hr__floor;
	hr__result = (hr_buffer){0};
}

static uint64_t hr__init(hr_text declaration, bool (*start)(hr_value config)) {
	hr__declaration = declaration;
	hr__subscribe(declaration.at, declaration.n);
	if (start != NULL && !start(hr_config()))
		return 0;
	hr__floor = hr__free;
	return hr__block(hr__scratch, sizeof hr__scratch);
}

static uint32_t hr__word(uint32_t at) {
	uint32_t word;
	__builtin_memcpy(&word, hr__scratch + at, sizeof word);
	return word;
}

/* hr__value is a value as a field word says it. */
static hr_value hr__value(uint32_t word, const char *at) {
	return (hr_value){(hr_kind)(word >> HR__LENGTH_BITS), {at, word & HR__LENGTH}};
}

static hr_value hr__entry(uint32_t n) {
	uint32_t at = HR__HEADER + n * HR__ENTRY;
	return hr__value(hr__word(at + 4), hr__scratch + hr__word(at));
}

static hr_text hr_standard(hr_standard_field field) { return hr_string(hr__entry(field)); }

/* hr__want is the pointer of the n-th want line. */
static hr_text hr__want(uint32_t n) {
	const char *p = hr__declaration.at, *end = p + hr__declaration.n;
	while (p < end) {
		const char *line = p;
		while (p < end && *p != '\n')
			p++;
		if (p - line >= 5 && *line == 'w' && n-- == 0)
			return (hr_text){line + 5, (uint32_t)(p - line) - 5};
		p++;
	}
	hr_fail(HR("hr.h: hr_get of a field that no want line asks for"));
}

static hr_value hr_get(uint32_t n) {
	if (n >= hr__word(8))
		hr__want(n); /* fails */
	hr_value v = hr__entry(HR__STANDARD + n);
	return (int)v.kind == HR__TOO_BIG ? hr_field(hr__want(n)) : v;
}

/* HR__FETCH calls into a buffer, and once more where it was too small. The size
 * may have grown in between, where another copy of the plugin writes as well. */
#define HR__FETCH(buffer, room, word, length, call)  \
	do {                                             \
		uint32_t room = 256;                         \
		buffer = hr_alloc(room);                     \
		while (word = (call), (length) > room) {     \
			room = (length);                         \
			buffer = hr_alloc(room);                 \
		}                                            \
	} while (0)

static hr_value hr_field(hr_text pointer) {
	char *buffer;
	uint32_t word;
	HR__FETCH(buffer, room, word, word & HR__LENGTH, hr__field(pointer.at, pointer.n, buffer, room));
	return hr__value(word, buffer);
}

static hr_text hr_raw(void) {
	char *buffer;
	uint32_t n;
	HR__FETCH(buffer, room, n, n, hr__raw(buffer, room));
	return (hr_text){buffer, n};
}

static hr_value hr_config(void) {
	char *buffer;
	uint32_t n;
	HR__FETCH(buffer, room, n, n, hr__config(buffer, room));
	return hr_parse((hr_text){buffer, n});
}

static hr_found hr_kv_get(hr_text key) {
	char *buffer;
	uint64_t found;
	HR__FETCH(buffer, room, found, (uint32_t)found, hr__kv_get(key.at, key.n, buffer, room));
	return (hr_found){{buffer, (uint32_t)found}, (uint32_t)(found >> 32)};
}

static bool hr_kv_swap(hr_text key, hr_text value, uint32_t seconds, uint32_t version) {
	return hr__kv_set(key.at, key.n, value.at, value.n, seconds, version) == 1;
}

static bool hr_kv_set(hr_text key, hr_text value, uint32_t seconds) { return hr_kv_swap(key, value, seconds, UINT32_MAX); }
static bool hr_kv_delete(hr_text key) { return hr__kv_delete(key.at, key.n) == 1; }
static int64_t hr_now(void) { return hr__now(); }
static void hr_log(hr_level level, hr_text line) { hr__log(level, line.at, line.n); }

static hr_channel hr_project(hr_text id, hr_text topic) { return (hr_channel){HR("project/"), id, topic, true}; }
static hr_channel hr_user(hr_text id, hr_text topic) { return (hr_channel){HR("user/"), id, topic, true}; }
static hr_channel hr_admin(hr_text topic) { return (hr_channel){HR("admin/"), {NULL, 0}, topic, false}; }
static hr_channel hr_public(hr_text topic) { return (hr_channel){HR("public/"), {NULL, 0}, topic, false}; }

/* These write at p, and give where the next byte goes. */
static char *hr__little32(char *p, uint32_t word) {
	__builtin_memcpy(p, &word, 4);
	return p + 4;
}

static char *hr__put(char *p, hr_text t) {
	hr__copy(p, t.at, t.n);
	return p + t.n;
}

static void hr_emit(hr_channel to, hr_text key, uint32_t flags, hr_json *payload) {
	if (to.owned && to.id.n == 0)
		return;
	uint32_t channel = to.scope.n + to.id.n + to.owned + to.topic.n;
	if (channel > UINT16_MAX || key.n > UINT16_MAX)
		hr_fail(HR("hr.h: a channel or key of more than 65535 bytes"));
	while (payload->depth > 0)
		hr_close(payload);
	uint32_t body = 8 + channel + key.n + payload->text.n;
	char *p = hr__extend(&hr__result, 8 + body);
	p = hr__little32(p, HR__EMIT);
	p = hr__little32(p, body);
	p = hr__little32(p, key.n << 16 | channel);
	p = hr__little32(p, flags);
	p = hr__put(p, to.scope);
	p = hr__put(p, to.id);
	if (to.owned)
		*p++ = '/';
	p = hr__put(p, to.topic);
	p = hr__put(p, key);
	hr__copy(p, payload->text.at, payload->text.n);
}

static void hr_stop(void) { hr__little32(hr__little32(hr__extend(&hr__result, 8), HR__STOP), 0); }

/* ---- Writing JSON ---- */

static hr_json hr__root(char bracket) {
	hr_json j;
	j.text = (hr_buffer){0};
	j.names = (hr_buffer){0};
	j.first[0] = 0;
	j.depth = 1;
	j.ends[0] = (char)(bracket + 2); /* { } and [ ] are two apart */
	hr__append_char(&j.text, bracket);
	return j;
}

static hr_json hr_object(void) { return hr__root('{'); }
static hr_json hr_array(void) { return hr__root('['); }

/* hr__utf8 is how many bytes the character at p takes, 0 if there is none. */
static uint32_t hr__utf8(const unsigned char *p, const unsigned char *end) {
	uint32_t n = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : *p >= 0xf0 && *p < 0xf5 ? 4 : 0;
	if (n == 0 || n > (uint32_t)(end - p))
		return 0;
	for (uint32_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* Too long a spelling, half a surrogate pair, and beyond U+10FFFF. */
	if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void hr__quote(hr_buffer *b, hr_text t) {
	const unsigned char *p = (const unsigned char *)t.at, *end = p + t.n, *from = p;
	char *to = hr__extend(b, t.n + 2);
	to[0] = to[t.n + 1] = '"';
	if (!hr__copy(to + 1, t.at, t.n))
		return;
	b->n -= t.n + 1; /* once more, character by character */
	while (p < end) {
		uint32_t n = hr__utf8(p, end);
		if (n > 1 || (n == 1 && *p >= ' ' && *p != '"' && *p != '\\')) {
			p += n;
			continue;
		}
		hr__append(b, (hr_text){(const char *)from, (uint32_t)(p - from)});
		if (n == 0) {
			hr__append(b, HR("\xef\xbf\xbd"));
		} else if (*p == '"' || *p == '\\') {
			hr__append_char(b, '\\');
			hr__append_char(b, (char)*p);
		} else {
			hr__append(b, HR("\\u00"));
			hr__append_char(b, "01"[*p >> 4]);
			hr__append_char(b, "0123456789abcdef"[*p & 15]);
		}
		from = ++p;
	}
	hr__append(b, (hr_text){(const char *)from, (uint32_t)(p - from)});
	hr__append_char(b, '"');
}

/* hr__named notes that a member begins at that place, whose name is the last in
 * the text. One of the same name before it is taken away. */
static void hr__named(hr_json *j, uint32_t at) {
	hr_buffer *b = &j->text;
	uint32_t *list = (uint32_t *)(void *)j->names.at, n = j->names.n / 4, name = b->n - at;
	for (uint32_t i = j->first[j->depth - 1]; i < n; i++) {
		const char *before = b->at + list[i];
		uint32_t k = 0;
		while (k < name && before[k] == b->at[at + k])
			k++;
		if (k < name)
			continue;
		uint32_t next = i + 1 < n ? list[i + 1] : at, gone = next - list[i];
		for (k = next; k < b->n; k++)
			b->at[k - gone] = b->at[k];
		b->n -= gone;
		at -= gone;
		for (; i + 1 < n; i++)
			list[i] = list[i + 1] - gone;
		list[n - 1] = at;
		return;
	}
	hr__extend(&j->names, 4);
	((uint32_t *)(void *)j->names.at)[n] = at;
}

/* hr__item begins an item of the innermost container. */
static hr_buffer *hr__item(hr_json *j, hr_text name) {
	hr_buffer *b = &j->text;
	if (j->depth == 0 || (j->ends[j->depth - 1] == '}') != (name.at != NULL))
		hr_fail(HR("hr.h: a name within a JSON array, none within an object, or writing to what is closed"));
	char last = b->at[b->n - 1];
	bool comma = last != '{' && last != '['; /* no item ends so */
	if (name.at == NULL) {
		if (comma)
			hr__append_char(b, ',');
		return b;
	}
	uint32_t before = b->n;
	char *to = hr__extend(b, comma + name.n + 3);
	to[0] = ',';
	to += comma;
	to[0] = to[name.n + 1] = '"';
	to[name.n + 2] = ':';
	if (hr__copy(to + 1, name.at, name.n)) { /* it has to be escaped */
		b->n = before + comma;
		hr__quote(b, name);
		hr__append_char(b, ':');
	}
	hr__named(j, before + comma);
	return b;
}

static void hr__open(hr_json *j, hr_text name, char bracket) {
	hr__append_char(hr__item(j, name), bracket);
	if (j->depth == sizeof j->ends)
		hr_fail(HR("hr.h: JSON nested deeper than 64"));
	j->first[j->depth] = j->names.n / 4;
	j->ends[j->depth++] = (char)(bracket + 2);
}

static void hr_open_object(hr_json *j, hr_text name) { hr__open(j, name, '{'); }
static void hr_open_array(hr_json *j, hr_text name) { hr__open(j, name, '['); }

static void hr_close(hr_json *j) {
	if (j->depth == 0)
		hr_fail(HR("hr.h: hr_close, and nothing is open"));
	hr__append_char(&j->text, j->ends[--j->depth]);
	j->names.n = 4 * j->first[j->depth];
}

static void hr_put_string(hr_json *j, hr_text name, hr_text value) { hr__quote(hr__item(j, name), value); }
static void hr_put_bool(hr_json *j, hr_text name, bool value) { hr__append(hr__item(j, name), value ? HR("true") : HR("false")); }
static void hr_put_null(hr_json *j, hr_text name) { hr__append(hr__item(j, name), HR("null")); }

/* hr__changes reports whether JavaScript makes another number of this one. */
static bool hr__changes(hr_text t) {
	const hr_text largest = HR("9007199254740992");
	const int32_t largest_exponent = 307; /* of what is surely finite */
	const char *p = t.at, *end = p + t.n;
	p += p < end && *p == '-';
	const char *digits = p;
	int32_t n = 0, exponent = 0;
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	n = (int32_t)(p - digits);
	if (p == end) {
		if (n != (int32_t)largest.n)
			return n > (int32_t)largest.n;
		for (uint32_t i = 0; i < largest.n; i++)
			if (digits[i] != largest.at[i])
				return digits[i] > largest.at[i];
		return false;
	}
	while (p < end && (*p | 0x20) != 'e')
		p++;
	bool minus = p + 1 < end && p[1] == '-';
	for (; p < end; p++)
		if (*p >= '0' && *p <= '9' && exponent < 1 << 16)
			exponent = exponent * 10 + (*p - '0');
	return n + (minus ? -exponent : exponent) > largest_exponent + 1;
}

static void hr__put_number(hr_json *j, hr_text name, hr_text digits) {
	if (hr__changes(digits))
		hr_put_string(j, name, digits);
	else
		hr__append(hr__item(j, name), digits);
}

static void hr_put_int(hr_json *j, hr_text name, int64_t value) {
	char digits[20], *p = digits + sizeof digits;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	for (; rest > 9; rest /= 10)
		*--p = (char)('0' + rest % 10);
	*--p = (char)('0' + rest);
	if (value < 0)
		*--p = '-';
	hr__put_number(j, name, (hr_text){p, (uint32_t)(digits + sizeof digits - p)});
}

/* hr_put_value writes a container anew, which leaves its line breaks behind and
 * lets nothing malformed through. One that is nested too deeply becomes null. */
static void hr_put_value(hr_json *j, hr_text name, hr_value v) {
	switch (v.kind) {
	case HR_ABSENT:
		break;
	case HR_STRING:
		hr_put_string(j, name, v.text);
		break;
	case HR_NUMBER:
		hr__put_number(j, name, v.text);
		break;
	case HR_TRUE:
	case HR_FALSE:
		hr_put_bool(j, name, v.kind == HR_TRUE);
		break;
	default:
		if (v.kind == HR_NULL || j->depth == sizeof j->ends) {
			hr_put_null(j, name);
			break;
		}
		hr__open(j, name, v.kind == HR_OBJECT ? '{' : '[');
		for (hr_items it = hr_each(v); hr_next(&it);)
			hr_put_value(j, v.kind == HR_OBJECT ? it.key : HR_ELEMENT, it.value);
		hr_close(j);
	}
}

/* ---- Reading JSON ---- */

/* hr__blank reports whether JSON may have the character between its tokens. */
static bool hr__blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/* hr__string_end is behind the string that begins at p, NULL where it has no end. */
static const char *hr__string_end(const char *p, const char *end) {
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : NULL;
}

static bool hr_equal(hr_text a, hr_text b) {
	if (a.n != b.n)
		return false;
	for (uint32_t i = 0; i < a.n; i++)
		if (a.at[i] != b.at[i])
			return false;
	return true;
}

static hr_text hr_string(hr_value v) { return v.kind == HR_STRING ? v.text : (hr_text){"", 0}; }

static bool hr_bool(hr_value v, bool *out) {
	if (v.kind != HR_TRUE && v.kind != HR_FALSE)
		return false;
	*out = v.kind == HR_TRUE;
	return true;
}

static bool hr_int(hr_value v, int64_t *out) {
	const char *p = v.text.at, *end = p + v.text.n;
	if (v.kind != HR_NUMBER)
		return false;
	bool minus = *p == '-';
	uint64_t n = 0;
	for (p += minus; p < end; p++) {
		uint32_t digit = (uint32_t)(*p - '0');
		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > (uint64_t)INT64_MAX + minus)
		return false;
	*out = (int64_t)(minus ? 0 - n : n);
	return true;
}

static bool hr_double(hr_value v, double *out) {
	const char *p = v.text.at, *end = p + v.text.n;
	if (v.kind != HR_NUMBER)
		return false;
	bool minus = *p == '-', fraction = false;
	double n = 0;
	int32_t scale = 0, exponent = 0, sign = 1;
	for (p += minus; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		n = n * 10 + (*p - '0');
		scale -= fraction;
	}
	for (p++; p < end; p++) {
		if (*p == '-')
			sign = -1;
		else if (*p != '+' && exponent < 10000)
			exponent = exponent * 10 + (*p - '0');
	}
	for (scale += sign * exponent; scale > 0 && n != 0 && n < __builtin_inf(); scale--)
		n *= 10;
	double by = 1; /* one division errs less than many */
	for (; scale < 0 && n != 0; scale++)
		if ((by *= 10) >= 1e22) {
			n /= by;
			by = 1;
		}
	n /= by;
	*out = minus ? -n : n;
	return true;
}

static const char *hr__skip(const char *p, const char *end) {
	while (p < end && hr__blank(*p))
		p++;
	return p;
}

/* hr__hex is the escape \uXXXX at p, -1 if there is none. */
static int32_t hr__hex(const char *p, const char *end) {
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	int32_t r = 0;
	for (uint32_t i = 2; i < 6; i++) {
		uint32_t c = (uint32_t)p[i], letter = (c | 0x20) - 'a';
		if (c - '0' > 9 && letter > 5)
			return -1;
		r = r << 4 | (int32_t)(c - '0' <= 9 ? c - '0' : letter + 10);
	}
	return r;
}

static char *hr__append_rune(char *to, uint32_t r) {
	if (r < 0x80) {
		*to++ = (char)r;
	} else if (r < 0x800) {
		*to++ = (char)(0xc0 | r >> 6);
		*to++ = (char)(0x80 | (r & 0x3f));
	} else {
		if (r < 0x10000) {
			*to++ = (char)(0xe0 | r >> 12);
		} else {
			*to++ = (char)(0xf0 | r >> 18);
			*to++ = (char)(0x80 | (r >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (r >> 6 & 0x3f));
		*to++ = (char)(0x80 | (r & 0x3f));
	}
	return to;
}

/* hr__escape decodes the escape at *p and moves behind it; -1 where it is none.
 * A surrogate pair is one, half of a pair is U+FFFD. */
static int32_t hr__escape(const char **p, const char *end) {
	static const char names[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	int32_t r = hr__hex(*p, end);
	if (r < 0) {
		for (uint32_t i = 0; i + 1 < sizeof names; i += 2)
			if (end - *p > 1 && names[i] == (*p)[1]) {
				*p += 2;
				return names[i + 1];
			}
		return -1;
	}
	*p += 6;
	if (r < 0xd800 || r > 0xdfff)
		return r;
	int32_t low = hr__hex(*p, end);
	if (r > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*p += 6;
	return 0x10000 + ((r - 0xd800) << 10) + (low - 0xdc00);
}

/* hr__scan_string decodes the string at p. Most have no escapes and are a part of
 * the JSON. *after is NULL where it is none. */
static hr_text hr__scan_string(const char *p, const char *end, const char **after) {
	if ((*after = hr__string_end(p, end)) == NULL)
		return (hr_text){"", 0};
	const char *from = p + 1, *to = *after - 1;
	for (p = from; p < to && *p != '\\'; p++) {}
	if (p == to)
		return (hr_text){from, (uint32_t)(to - from)};
	char *text = hr_alloc((uint32_t)(to - from)), *q = text; /* decoded, it is not longer */
	for (p = from; p < to;) {
		if (*p != '\\') {
			*q++ = *p++;
			continue;
		}
		int32_t r = hr__escape(&p, to);
		if (r < 0) {
			*after = NULL;
			return (hr_text){"", 0};
		}
		q = hr__append_rune(q, (uint32_t)r);
	}
	return (hr_text){text, (uint32_t)(q - text)};
}

/* hr__nested_end is behind the object or array at p, found by its brackets. */
static const char *hr__nested_end(const char *p, const char *end) {
	for (uint32_t depth = 0; p < end;) {
		if (*p == '"') {
			if ((p = hr__string_end(p, end)) == NULL)
				return NULL;
			continue;
		}
		depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		p++;
		if (depth == 0)
			return p;
	}
	return NULL;
}

static const char *hr__digits(const char *p, const char *end) {
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* hr__number_end follows the grammar, so that a literal can be passed on. */
static const char *hr__number_end(const char *p, const char *end) {
	p += *p == '-';
	const char *first = p;
	if ((p = hr__digits(p, end)) == first || (*first == '0' && p > first + 1))
		return NULL;
	if (p < end && *p == '.') {
		first = ++p;
		if ((p = hr__digits(p, end)) == first)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		first = p;
		if ((p = hr__digits(p, end)) == first)
			return NULL;
	}
	return p;
}

static bool hr__word_at(const char *p, const char *end, hr_text word) {
	return (uint32_t)(end - p) >= word.n && hr_equal((hr_text){p, word.n}, word);
}

/* hr__scan reads the value at p; *after is NULL if there is none. */
static hr_value hr__scan(const char *p, const char *end, const char **after) {
	hr_value v = {HR_ABSENT, {p, 0}};
	*after = NULL;
	if (p >= end)
		return v;
	if (*p == '"') {
		v.text = hr__scan_string(p, end, after);
		v.kind = HR_STRING;
	} else if (*p == '{' || *p == '[') {
		*after = hr__nested_end(p, end);
		v.kind = *p == '{' ? HR_OBJECT : HR_ARRAY;
	} else if (*p == '-' || (*p >= '0' && *p <= '9')) {
		*after = hr__number_end(p, end);
		v.kind = HR_NUMBER;
	} else if (hr__word_at(p, end, HR("null"))) {
		return *after = p + 4, (hr_value){HR_NULL, {p, 0}};
	} else if (hr__word_at(p, end, HR("true"))) {
		return *after = p + 4, (hr_value){HR_TRUE, {p, 0}};
	} else if (hr__word_at(p, end, HR("false"))) {
		return *after = p + 5, (hr_value){HR_FALSE, {p, 0}};
	}
	if (*after == NULL)
		return (hr_value){HR_ABSENT, {p, 0}};
	if (v.kind != HR_STRING)
		v.text.n = (uint32_t)(*after - p);
	return v;
}

static hr_value hr_parse(hr_text json) {
	const char *end = json.at + json.n, *after;
	hr_value v = hr__scan(hr__skip(json.at, end), end, &after);
	return after != NULL && hr__skip(after, end) == end ? v : (hr_value){HR_ABSENT, {"", 0}};
}

static hr_items hr_each(hr_value v) {
	if (v.kind != HR_OBJECT && v.kind != HR_ARRAY)
		return (hr_items){0};
	return (hr_items){.p = v.text.at, .end = v.text.at + v.text.n, .object = v.kind == HR_OBJECT};
}

static bool hr_next(hr_items *it) {
	if (it->p == NULL)
		return false;
	const char *p = hr__skip(it->p, it->end);
	if (p >= it->end || (it->begun && *p != ','))
		return false; /* the closing bracket */
	it->begun = true;
	p = hr__skip(p + 1, it->end);
	if (it->object) {
		if (p >= it->end || *p != '"')
			return false;
		it->key = hr__scan_string(p, it->end, &p);
		if (p == NULL || (p = hr__skip(p, it->end)) >= it->end || *p != ':')
			return false;
		p = hr__skip(p + 1, it->end);
	}
	it->value = hr__scan(p, it->end, &p);
	it->p = p;
	return p != NULL;
}

static hr_value hr_member(hr_value v, hr_text name) {
	hr_value found = {HR_ABSENT, {"", 0}};
	if (v.kind == HR_OBJECT)
		for (hr_items it = hr_each(v); hr_next(&it);)
			if (hr_equal(it.key, name))
				found = it.value;
	return found;
}

#endif
