/* As guests/route. */
#include "hr.h"

enum { ID, NAME, STATE };

static bool start(hr_value config) {
	(void)config;
	return true;
}

static void handle(void) {
	hr_value server = hr_get(ID);
	hr_json m = hr_object();
	hr_put_int(&m, HR("v"), 1);
	hr_put_string(&m, HR("kind"), HR("server"));
	hr_put_value(&m, HR("id"), server);
	hr_put_value(&m, HR("name"), hr_get(NAME));
	hr_put_value(&m, HR("status"), hr_get(STATE));
	hr_emit(hr_project(hr_standard(HR_PROJECT), HR("instances")), hr_string(server), 0, &m);
}

HR_FILTER("on compute.instance.*\n"
          "want /payload/instance_id\n"
          "want /payload/display_name\n"
          "want /payload/state\n",
          start, handle)
