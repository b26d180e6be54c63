/* As guests/drop. */
#include "hr.h"

static bool start(hr_value config) {
	(void)config;
	return true;
}

static void handle(void) {
	if (hr_string(hr_get(0)).n == 0)
		hr_stop();
}

HR_FILTER("on compute.instance.*\n"
          "want /payload/state\n",
          start, handle)
