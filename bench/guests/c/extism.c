/* As guests/extism. */
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("extism:host/env"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

IMPORT("input_length") uint64_t input_length(void);
IMPORT("input_load_u64") uint64_t input_load64(uint64_t at);
IMPORT("input_load_u8") uint32_t input_load8(uint64_t at);
IMPORT("alloc") uint64_t host_alloc(uint64_t n);
IMPORT("store_u64") void store64(uint64_t at, uint64_t v);
IMPORT("store_u8") void store8(uint64_t at, uint32_t v);
IMPORT("output_set") void output_set(uint64_t at, uint64_t n);

static char in[4096], out[4096];
static uint32_t written;

typedef struct {
	const char *at;
	uint32_t n;
} field;

/* read splits the input, a field each line, into as many fields at most. */
static uint32_t read(field *fields, uint32_t most) {
	uint64_t n = input_length(), at = 0;
	if (n > sizeof in)
		return 0;
	for (; at + 8 <= n; at += 8) {
		uint64_t word = input_load64(at);
		__builtin_memcpy(in + at, &word, 8);
	}
	for (; at < n; at++)
		in[at] = (char)input_load8(at);
	uint32_t found = 0, start = 0;
	for (uint32_t i = 0; i <= n; i++) {
		if (i < n && in[i] != '\n')
			continue;
		if (found == most)
			return 0;
		fields[found++] = (field){in + start, i - start};
		start = i + 1;
	}
	return found;
}

static void put(field f) {
	__builtin_memcpy(out + written, f.at, f.n);
	written += f.n;
}

#define PUT(literal) put((field){literal, sizeof(literal) - 1})

static void send(void) {
	uint64_t to = host_alloc(written), at = 0;
	for (; at + 8 <= written; at += 8) {
		uint64_t word;
		__builtin_memcpy(&word, out + at, 8);
		store64(to + at, word);
	}
	for (; at < written; at++)
		store8(to + at, (uint8_t)out[at]);
	output_set(to, written);
}

EXPORT("drop") int32_t drop(void) {
	field state;
	return read(&state, 1) != 1 || state.n == 0;
}

EXPORT("route") int32_t route(void) {
	field f[4];
	if (read(f, 4) != 4)
		return 1;
	written = 0;
	PUT("project/"), put(f[0]), PUT("/instances\n");
	put(f[1]);
	PUT("\n{\"v\":1,\"kind\":\"server\",\"id\":\""), put(f[1]);
	PUT("\",\"name\":\""), put(f[2]);
	PUT("\",\"status\":\""), put(f[3]);
	PUT("\"}");
	send();
	return 0;
}
