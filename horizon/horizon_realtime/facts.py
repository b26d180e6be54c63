"""What a cloud's services can do, which Horizon asks them anew for each request.

Whether an action is offered depends also on the versions and extensions of nova
and neutron. To draw a row without a call, requests that ask to (remembering) are
answered from what was asked before; for all other requests nothing changes.
"""

import functools
import time

from openstack_dashboard import api

# Seconds; an upgraded service is noticed after that.
KEPT = 900
# Cached answers per process: a few for each region.
KEPT_MAX = 64

_answers = {}   # (function, keystone, region, arguments) → (when, answer)


def remembering(request):
    """Mark a request and return it."""
    request.realtime_remembers = True
    return request


def install():
    """Wrap Horizon's functions with the cache, if this Horizon has them."""
    for module, name in (api.nova, 'get_microversion'), (api.neutron, 'list_extensions'):
        function = getattr(module, name, None)
        if function and not hasattr(function, 'realtime_original'):
            setattr(module, name, _remembered(function, name))


def _remembered(function, name):
    @functools.wraps(function)
    def answer(request, *args, **kwargs):
        if not getattr(request, 'realtime_remembers', False):
            return function(request, *args, **kwargs)
        key = name, request.user.endpoint, request.user.services_region, repr((args, sorted(kwargs.items())))
        known = _answers.get(key)
        if known is None or time.monotonic() - known[0] >= KEPT:
            if len(_answers) >= KEPT_MAX:
                _answers.clear()
            known = _answers[key] = time.monotonic(), function(request, *args, **kwargs)
        return known[1]
    answer.realtime_original = function
    return answer
