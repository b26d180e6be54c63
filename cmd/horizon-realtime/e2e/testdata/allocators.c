/* A filter that has memory of its own, which grows in turns with that of hr.h:
 * neither may write over what is the other's. */
#include "hr.h"

enum { PAGE = 64 << 10 };

static bool filled(const char *at, uint32_t n, char with) {
	for (uint32_t i = 0; i < n; i++)
		if (at[i] != with)
			return false;
	return true;
}

static void handle(void) {
	char *own[10], *lent[10];
	bool mine = true, theirs = true;
	for (int i = 0; i < 10; i++) {
		own[i] = (char *)(__builtin_wasm_memory_grow(0, 1) * PAGE);
		__builtin_memset(own[i], i, PAGE);
		lent[i] = hr_alloc(50000);
		__builtin_memset(lent[i], 100 + i, 50000);
	}
	for (int i = 0; i < 10; i++) {
		mine = mine && filled(own[i], PAGE, (char)i);
		theirs = theirs && filled(lent[i], 50000, (char)(100 + i));
	}
	hr_json m = hr_object();
	hr_put_bool(&m, HR("own"), mine);
	hr_put_bool(&m, HR("lent"), theirs);
	hr_emit(hr_project(hr_standard(HR_PROJECT), HR("x")), HR(""), 0, &m);
}

HR_FILTER("on volume.resize.end\n", NULL, handle)
