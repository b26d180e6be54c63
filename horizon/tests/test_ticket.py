"""The ticket view, asked as a page asks it."""
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.base import BaseHandler
from django.test import RequestFactory, override_settings
from openstack_auth import utils as auth_utils
from openstack_dashboard.test import helpers
from requests.packages.urllib3.connection import HTTPConnection

from tests.router import ANSWER, Router

URL = '/api/realtime/ticket/'
CSRF = 'a' * 32


class TicketTest(helpers.TestCase):
    def setUp(self):
        super().setUp()
        HTTPConnection.connect = self._real_conn_request   # the helpers forbid what this view is for
        self.router = Router()
        self.addCleanup(self.router.close)
        internal = override_settings(REALTIME_INTERNAL_URL=self.router.url)
        internal.enable()
        self.addCleanup(internal.disable)

    def ask(self, method='post', **headers):
        """Asks through all of Horizon's middleware; None leaves out a header that a page sends."""
        page = {'HTTP_X_REQUESTED_WITH': 'XMLHttpRequest', 'HTTP_X_CSRFTOKEN': CSRF, 'HTTP_ORIGIN': 'http://testserver', **headers}
        factory = RequestFactory()
        factory.cookies[settings.CSRF_COOKIE_NAME] = CSRF
        request = factory.generic(method.upper(), URL, '{}', 'application/json',
                                  **{name: value for name, value in page.items() if value is not None})
        handler = BaseHandler()
        handler.load_middleware()
        return handler.get_response(request)

    def refused(self, status):
        """Asks, and sees that it is refused without a word of the token."""
        with self.assertLogs('horizon_realtime.rest', 'WARNING') as logs:
            response = self.ask()
        self.assertEqual(response.status_code, status)
        self.assertNotIn(self.token.id, response.content.decode() + ''.join(logs.output))
        return response

    def test_a_page_gets_a_ticket(self):
        response = self.ask()
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json, dict(
            ANSWER, project=self.tenant.id, user=self.user.id, url='/realtime', mode='payload', toasts=False, language='en'))
        self.assertEqual(response['Cache-Control'], 'no-store')

    def test_a_mode_that_is_none_is_refused_when_horizon_starts(self):
        for odd in ('paylod', 'Payload', '', 7, ['hint']):
            with override_settings(REALTIME_MODE=odd), self.assertRaisesMessage(
                    ImproperlyConfigured, "REALTIME_MODE is %r; in local_settings.py, or a file of local_settings.d/, make it 'payload' or 'hint'" % (odd,)):
                apps.get_app_config('horizon_realtime').ready()
        for good in ('payload', 'hint', None):
            with override_settings(REALTIME_MODE=good):
                apps.get_app_config('horizon_realtime').ready()

    def test_the_router_is_shown_the_token_and_the_page_is_not(self):
        response = self.ask()
        [request] = self.router.requests
        self.assertEqual(request['path'], '/realtime/ticket')
        self.assertEqual(request['headers']['X-Auth-Token'], self.token.id)
        self.assertEqual(request['body'], {'origin': 'http://testserver'})
        self.assertNotIn(self.token.id, response.content.decode())

    def test_nothing_else_of_the_answer_reaches_the_page(self):
        self.router.body = '{"ticket": "T1", "expires_in": 30, "channels": [], "position": {}, "token": "%s"}' % self.token.id
        self.assertNotIn(self.token.id, self.ask().content.decode())

    @override_settings(REALTIME_URL='wss://rt.example/x', REALTIME_MODE='hint', REALTIME_TOASTS=True)
    def test_the_settings_reach_the_page(self):
        answer = self.ask().json
        self.assertEqual((answer['url'], answer['mode'], answer['toasts']), ('wss://rt.example/x', 'hint', True))

    def test_only_a_page_of_horizon_may_ask(self):
        self.assertEqual(self.ask(HTTP_X_CSRFTOKEN=None).status_code, 403)
        self.assertEqual(self.ask(HTTP_X_REQUESTED_WITH=None).status_code, 400)
        self.assertEqual(self.ask('get').status_code, 405)
        self.assertEqual(self.router.requests, [])

    def test_only_a_user_may_ask(self):
        auth_utils.get_user = self._real_get_user
        self.assertEqual(self.ask().status_code, 401)
        self.assertEqual(self.router.requests, [])

    @override_settings(REALTIME_ENABLED=False)
    def test_switched_off_it_is_not_there(self):
        self.assertEqual(self.ask().status_code, 404)
        self.assertEqual(self.router.requests, [])

    def test_a_refusal_does_not_log_the_user_out(self):
        for status in (401, 403):
            self.router.status = status
            self.refused(403)

    def test_a_router_with_trouble_may_be_asked_again(self):
        for status in (400, 404, 429, 500, 503):
            self.router.status = status
            self.refused(503)

    def test_no_redirect_carries_the_token_away(self):
        elsewhere = Router()
        self.addCleanup(elsewhere.close)
        self.router.status, self.router.headers = 307, {'Location': elsewhere.url + '/ticket'}
        self.refused(503)
        self.assertEqual(elsewhere.requests, [])

    def test_an_answer_that_is_no_ticket(self):
        for body in ('', '<html>', '[]', 'null', '{"ticket": "T1"}'):
            self.router.body = body
            self.refused(503)

    def test_a_router_that_is_not_there(self):
        self.router.close()
        self.refused(503)

    @override_settings(REALTIME_TIMEOUT=0.2)
    def test_a_router_that_does_not_answer(self):
        self.router.silent = True
        self.refused(503)


class EnabledTest(helpers.TestCase):
    def test_pages_load_what_it_brings(self):
        self.assertIn('horizon_realtime', settings.INSTALLED_APPS)
        script = 'horizon_realtime/dist/realtime.js'
        self.assertIn(script, settings.HORIZON_CONFIG['js_files'])
        self.assertIn('horizon_realtime/realtime.scss', settings.HORIZON_CONFIG['scss_files'])
        for file in (script, 'horizon_realtime/realtime.scss'):
            self.assertIsNotNone(finders.find(file), '%s: build it with npm run build:horizon' % file)
