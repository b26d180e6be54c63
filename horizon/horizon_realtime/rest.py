"""POST /api/realtime/ticket/: the page's way into the router.

Horizon's decorators see to it that only a logged-in user's own page gets
here: a session, Django's CSRF token and an AJAX request.
"""

import logging

import requests

from django.utils import translation
from django.views import generic
from openstack_dashboard.api.rest import urls
from openstack_dashboard.api.rest import utils as rest_utils

from horizon_realtime import conf

LOG = logging.getLogger(__name__)

# How the page sees the router's refusals. It keeps trying on 503 and stops
# on the others. The router's 401 is not passed on: Horizon's page takes a
# 401 as the end of the session and sends the user to the login form.
REFUSALS = {401: 403, 403: 403}


class Unavailable(Exception):
    """The router issued no ticket. http_status is for @rest_utils.ajax."""

    def __init__(self, http_status, message):
        super().__init__(message)
        self.http_status = http_status


@urls.register
class Ticket(generic.View):
    """A ticket for the page's connection."""

    url_regex = r'realtime/ticket/$'

    @rest_utils.ajax()
    def post(self, request):
        """Trade the session's Keystone token for a ticket.

        The answer is the router's, and what the page must know:

            {"ticket": "…", "expires_in": 30, "channels": ["project/…/*"],
             "position": {"epoch": "…", "offset": 41}, "project": "…", "user": "…",
             "url": "/realtime", "mode": "payload", "toasts": false,
             "language": "en"}

        404: switched off. 403: the router refuses this user. 503: it gave no
        ticket this time.
        """
        if not conf.get('REALTIME_ENABLED'):
            return rest_utils.JSONResponse('switched off', 404)
        try:
            answer = exchange(request.user.token.id, request.headers.get('Origin'))
        except Unavailable as e:
            return rest_utils.JSONResponse(str(e), e.http_status)
        answer.update(
            project=request.user.project_id,
            user=request.user.id,
            url=conf.get('REALTIME_URL'),
            mode=conf.get('REALTIME_MODE'),
            toasts=bool(conf.get('REALTIME_TOASTS')),
            language=translation.get_language() or 'en',
        )
        response = rest_utils.JSONResponse(answer)
        response['Cache-Control'] = 'no-store'
        return response


def exchange(token, origin):
    """Ask the router for a ticket.

    The ticket opens connections of pages of that origin only. Raises
    Unavailable; the token is in no message and no log line.
    """
    url = conf.get('REALTIME_INTERNAL_URL').rstrip('/') + '/ticket'
    try:
        response = requests.post(
            url, headers={'X-Auth-Token': token}, json={'origin': origin} if origin else {},
            timeout=conf.get('REALTIME_TIMEOUT'), verify=conf.verify(), allow_redirects=False)
    except requests.RequestException as e:
        LOG.warning('no ticket from %s: %s', url, type(e).__name__)
        raise Unavailable(503, 'the realtime service does not answer')
    if response.status_code != 200:
        LOG.warning('no ticket from %s: it answered %d', url, response.status_code)
        raise Unavailable(REFUSALS.get(response.status_code, 503), 'the realtime service gave no ticket')
    try:
        answer = response.json()
        return {name: answer[name] for name in ('ticket', 'expires_in', 'channels', 'position')}
    except (ValueError, KeyError, TypeError):
        LOG.warning('no ticket from %s: its answer is not a ticket', url)
        raise Unavailable(503, 'the realtime service gave no ticket')
