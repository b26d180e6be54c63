"""Horizon's own settings for tests, with the plugin switched on as in a cloud: its file is among Horizon's."""
import os
import tempfile

from openstack_dashboard import enabled

import horizon_realtime.enabled

enabled.__path__ += horizon_realtime.enabled.__path__

from openstack_dashboard.test.settings import *  # noqa: E402,F401,F403

SECRET_KEY = 'of tests'
COMPRESS_ROOT = STATIC_ROOT = os.path.join(tempfile.gettempdir(), 'horizon-realtime-static')
