"""A server as a panel message tells of it, in the shape in which nova's API would.

In: what a page sends of a message, which may be anything. Out: an object that
Horizon's instances tables draw. rows.py has them drawn. Nothing here asks a service.
"""

import ipaddress
import re

from django.utils import dateparse
from openstack_dashboard import api

# As nova has them: names of 255 characters, ids that are UUIDs.
TEXT_MAX = 255
ADDRESSES_MAX = 256
ID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
PROJECT = re.compile(r'[0-9A-Za-z_-]{1,64}')
STATUS = re.compile(r'[A-Z_]{1,64}')
TASK = re.compile(r'[a-z_-]{1,64}')

# Attributes that Horizon's policies read from every target (policy_target_attrs) and no server has.
NO_SERVERS = frozenset({'domain_id'})

# nova's objects/fields.py; its API has the numbers, its versioned notifications the words.
POWER_STATES = {'pending': 0, 'running': 1, 'paused': 3, 'shutdown': 4, 'crashed': 6, 'suspended': 7}


class Server(api.nova.Server):
    """A server of which not everything is known.

    `doubtful` is set when something is asked for that the message did not tell,
    or that it tells only half of.
    """

    def __init__(self, members, request):
        super().__init__(Members(members), request)
        self.doubtful = False
        self.in_actions = False

    def asked_for(self, in_actions):
        """Reset `doubtful`, before the next cell or the actions."""
        self.doubtful = False
        self.in_actions = in_actions

    @property
    def addresses(self):
        """Good enough to tell which actions there are; a message does not say
        which network a floating one belongs to, so the cell is not drawn."""
        told = getattr(self._apiresource, 'addresses', None)
        if told is None or not self.in_actions:
            self.doubtful = True
        return told or {}

    def __getattr__(self, name):
        # A cell may show, and a deployment's own action ask for, what the page's view has added to its servers.
        if not self.in_actions or name not in NO_SERVERS:
            self.doubtful = True
        raise AttributeError(name)


class Members:
    """The resource that Horizon's classes wrap: attributes only."""

    def __init__(self, members):
        self.__dict__.update(members)


def read(row):
    """A server's members, under nova's names, from {"id", "name", "status",
    "task", "project_id", "user_id", "data": {…}, "shown": ["192.0.2.1", …]}.

    The last ones are the addresses that the page shows: those that the message
    does not tell are floating ones. Members that are not told are left out.
    Raises ValueError where one is not what nova would say.
    """
    if not isinstance(row, dict) or not isinstance(row.get('data', {}), dict):
        raise ValueError('no row')
    data = row.get('data', {})
    members = {
        'id': match(ID, row.get('id')),
        'status': match(STATUS, row.get('status')),
        'OS-EXT-STS:task_state': None if row.get('task') is None else match(TASK, row['task']),
        'name': text(row.get('name')),
    }
    optional = {
        'tenant_id': (row.get('project_id'), lambda value: match(PROJECT, value)),
        'user_id': (row.get('user_id'), lambda value: match(PROJECT, value)),
        'key_name': (data.get('key_name', ...), lambda value: value if value is None else text(value)),
        'OS-EXT-AZ:availability_zone': (data.get('availability_zone', ...), lambda value: '' if value is None else text(value)),
        'OS-EXT-STS:power_state': (data.get('power_state'), power_state),
        'OS-EXT-SRV-ATTR:host': (data.get('host'), text),
        'locked': (data.get('locked'), boolean),
        'created': (data.get('created_at'), time),
    }
    for name, (value, check) in optional.items():
        if value is not ... and (value is not None or name in ('key_name', 'OS-EXT-AZ:availability_zone')):
            members[name] = check(value)
    if data.get('addresses') is not None and row.get('shown') is not None:
        members['addresses'] = addresses(data['addresses'], row['shown'])
    return members


def addresses(told, shown):
    """As nova has them: {network: [{"addr", "version", "OS-EXT-IPS:type"}]}."""
    if not isinstance(told, list) or not isinstance(shown, list) or len(told) + len(shown) > ADDRESSES_MAX:
        raise ValueError('addresses')
    networks = {}
    fixed = set()
    for each in told:
        if not isinstance(each, dict):
            raise ValueError('addresses')
        address = ipaddress.ip_address(text(each.get('address')))
        fixed.add(address)
        networks.setdefault(text(each.get('network') or ''), []).append(one(address, 'fixed'))
    for address in map(ipaddress.ip_address, map(text, shown)):
        if address not in fixed:
            networks.setdefault('', []).append(one(address, 'floating'))
    return networks


def one(address, kind):
    return {'addr': str(address), 'version': address.version, 'OS-EXT-IPS:type': kind}


def match(pattern, value):
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError('not %s' % pattern.pattern)
    return value


def text(value):
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise ValueError('no text')
    return value


def boolean(value):
    if not isinstance(value, bool):
        raise ValueError('neither true nor false')
    return value


def power_state(value):
    number = POWER_STATES.get(value, value) if isinstance(value, str) else value
    if number not in POWER_STATES.values() or isinstance(number, bool):
        raise ValueError('no power state')
    return number


def time(value):
    if dateparse.parse_datetime(text(value)) is None:
        raise ValueError('no time')
    return value
