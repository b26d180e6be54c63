/* The plugin resized tells a project that one of its volumes has another size,
 * and since when it had the one before, if that was within a day. */
#include "hr.h"

enum { VOLUME, NAME, SIZE }; /* the wanted fields, in the order of their lines */

/* least is from how many gigabytes on anybody is told. */
static int64_t least;

static bool start(hr_value config) {
	hr_value v = hr_member(config, HR("least"));
	if (v.kind == HR_ABSENT || (hr_int(v, &least) && least >= 0))
		return true;
	hr_log(HR_ERROR, HR("config least: a number of gigabytes, 0 or more"));
	return false;
}

static void handle(void) {
	hr_text volume = hr_string(hr_get(VOLUME));
	int64_t size;
	if (!hr_int(hr_get(SIZE), &size) || size < least)
		return;
	hr_found before = hr_kv_get(volume);
	hr_kv_set(volume, hr_standard(HR_TIMESTAMP), 24 * 60 * 60);

	hr_json m = hr_object();
	hr_put_string(&m, HR("volume"), volume);
	hr_put_value(&m, HR("name"), hr_get(NAME));
	hr_put_int(&m, HR("gigabytes"), size);
	if (before.version != 0)
		hr_put_string(&m, HR("before"), before.value);
	hr_emit(hr_project(hr_standard(HR_PROJECT), HR("sizes")), volume, 0, &m);
}

HR_FILTER("on volume.resize.end\n"
          "want /payload/volume_id\n"
          "want /payload/display_name\n"
          "want /payload/size\n",
          start, handle)
