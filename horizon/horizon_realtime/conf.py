"""The settings, with their defaults.

They go into Horizon's local_settings.py, or into a file of local_settings.d/.
"""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

DEFAULTS = {
    # False: pages behave as without this plugin.
    'REALTIME_ENABLED': True,
    # The router's prefix as browsers see it: a path on Horizon's own origin,
    # or an absolute URL, which the router must then allow (allowed_origins).
    'REALTIME_URL': '/realtime',
    # The same prefix as Horizon's backend reaches it.
    'REALTIME_INTERNAL_URL': 'http://127.0.0.1:8080/realtime',
    # A CA bundle for an https REALTIME_INTERNAL_URL. None: Horizon's own
    # OPENSTACK_SSL_CACERT, and OPENSTACK_SSL_NO_VERIFY.
    'REALTIME_CACERT': None,
    # How long the backend waits for the router, in seconds.
    'REALTIME_TIMEOUT': 3.0,
    # 'payload': Horizon draws servers' rows from the message, without
    # a call to a service; other rows as with 'hint'.
    # 'hint': a message says which row Horizon should fetch. No other value is valid.
    'REALTIME_MODE': 'payload',
    # Report in a corner of the page what finished: launched, deleted, failed.
    'REALTIME_TOASTS': False,
}

MODES = 'payload', 'hint'


def get(name):
    """The operator's value of a setting of DEFAULTS, or its default."""
    value = getattr(settings, name, None)
    return DEFAULTS[name] if value is None else value


def check():
    """Raise ImproperlyConfigured when Horizon starts, for values that would be misread later."""
    mode = get('REALTIME_MODE')
    if mode not in MODES:
        raise ImproperlyConfigured('REALTIME_MODE is %r; in local_settings.py, or a file of local_settings.d/, make it %s'
                                   % (mode, ' or '.join(map(repr, MODES))))


def verify():
    """The `verify` argument for requests, for the router's certificate."""
    if getattr(settings, 'OPENSTACK_SSL_NO_VERIFY', False):
        return False
    return get('REALTIME_CACERT') or getattr(settings, 'OPENSTACK_SSL_CACERT', None) or True
