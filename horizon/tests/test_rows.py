"""Rows drawn from messages, beside those that Horizon draws from nova's answers."""
import json
from unittest import mock

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.test import RequestFactory, override_settings
import lxml.html
from novaclient import api_versions
from openstack_auth import policy
from openstack_auth import utils as auth_utils
from openstack_dashboard import api
from openstack_dashboard.dashboards.admin.instances import tables as admin_tables
from openstack_dashboard.dashboards.project.instances import tables as project_tables
from openstack_dashboard.dashboards.project.instances import views as project_views
from openstack_dashboard.test import helpers

from horizon_realtime import facts, rows, server

URL = '/api/realtime/rows/'
CSRF = 'a' * 32
STATES = (
    {}, {'status': 'SUSPENDED', 'power': 'suspended'}, {'status': 'SHUTOFF', 'power': 'shutdown'},
    {'task': 'suspending'}, {'task': 'deleting'}, {'status': 'VERIFY_RESIZE'}, {'status': 'PAUSED', 'power': 'paused'},
    {'status': 'RESCUE'}, {'status': 'SHELVED_OFFLOADED', 'power': 'shutdown'}, {'locked': True}, {'floating': True})
ONE = '056eec81-f3a2-4d7c-bf59-c7abd4b9f9b1'
POWER = {'pending': 0, 'running': 1, 'paused': 3, 'shutdown': 4, 'crashed': 6, 'suspended': 7}


class Nova:
    """What nova's API says of a server, and what a message tells of it."""

    def __init__(self, project, user, **changes):
        self.status, self.task, self.power, self.locked = 'ACTIVE', None, 'running', False
        self.name, self.floating = 'one', False
        self.project, self.user = project, user
        self.__dict__.update(changes)

    def api(self, request):
        addresses = [{'addr': '10.1.3.188', 'version': 4, 'OS-EXT-IPS:type': 'fixed'}]
        if self.floating:
            addresses.append({'addr': '192.0.2.9', 'version': 4, 'OS-EXT-IPS:type': 'floating'})
        return api.nova.Server(server.Members({
            'id': ONE, 'name': self.name, 'status': self.status, 'tenant_id': self.project, 'user_id': self.user,
            'OS-EXT-STS:task_state': self.task, 'OS-EXT-STS:power_state': POWER[self.power], 'OS-EXT-AZ:availability_zone': 'nova',
            'OS-EXT-SRV-ATTR:host': 'cloud1', 'key_name': None, 'locked': self.locked, 'created': '2026-11-23T10:00:00Z',
            'addresses': {'alpha': addresses}, 'image': {'id': ONE, 'name': 'tiny'}, 'flavor': {'id': '1'},
        }), request)

    def message(self, **data):
        told = {'addresses': [{'address': '10.1.3.188', 'network': 'alpha'}], 'key_name': None, 'availability_zone': 'nova',
                'power_state': self.power, 'locked': self.locked, 'created_at': '2026-11-23T10:00:00Z', 'host': 'cloud1', **data}
        return {'id': ONE, 'name': self.name, 'status': self.status, 'task': self.task, 'project_id': self.project, 'user_id': self.user,
                'shown': ['10.1.3.188'] + ['192.0.2.9'] * self.floating, 'data': {k: v for k, v in told.items() if v is not ...}}


class RowsTest(helpers.TestCase):
    """The helpers let no test reach a service, so what is drawn here is drawn without."""

    def setUp(self):
        super().setUp()
        versions = mock.patch.object(api_versions, '_get_server_version_range', return_value=(
            api_versions.APIVersion('2.1'), api_versions.APIVersion('2.90')))
        self.versions = versions.start()
        self.addCleanup(versions.stop)
        facts._answers.clear()
        self.addCleanup(facts._answers.clear)

    def ask(self, body, method='post', **headers):
        """Asks through all of Horizon's middleware; None leaves out a header that a page sends."""
        page = {'HTTP_X_REQUESTED_WITH': 'XMLHttpRequest', 'HTTP_X_CSRFTOKEN': CSRF, **headers}
        factory = RequestFactory()
        factory.cookies[settings.CSRF_COOKIE_NAME] = CSRF
        request = factory.generic(method.upper(), URL, json.dumps(body), 'application/json',
                                  **{name: value for name, value in page.items() if value is not None})
        handler = BaseHandler()
        handler.load_middleware()
        return handler.get_response(request)

    def drawn(self, message, dashboard='project', query=''):
        response = self.ask({'dashboard': dashboard, 'query': query, 'rows': [message]})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response['Cache-Control'], 'no-store')
        return response.json['rows'][message['id']]

    def nova(self, **changes):
        return Nova(self.tenant.id, self.user.id, **changes)

    def cells(self, html):
        """Each cell's text, links and actions; None for one that the page keeps."""
        row = lxml.html.fragment_fromstring(html, create_parent='table').find('.//tr')
        return row, [None if cell.get(rows.KEEP) else (' '.join(cell.text_content().split()), cell.get('class'), [
            (link.get('id'), link.get('href'), ' '.join(link.get('class', '').split()), link.get('name'), link.get('value'))
            for link in cell.iter('a', 'button')]) for cell in row.iter('td')]

    def as_horizon(self, nova, table_class=project_tables.InstancesTable):
        request = RequestFactory().get('/project/instances/' if table_class is project_tables.InstancesTable else '/admin/instances/')
        request.user = auth_utils.get_user(request)
        table = table_class(request)
        row = table._meta.row_class(table)
        row.load_cells(nova.api(request))
        return row.render()

    def same(self, nova, kept, **more):
        """The row is Horizon's, but for so many cells that the page keeps."""
        mine, told = self.cells(self.drawn(nova.message(), **more))
        theirs, shown = self.cells(self.as_horizon(nova))
        self.assertEqual(len(told), len(shown))
        self.assertEqual([cell for cell in told if cell is not None], [s for t, s in zip(told, shown) if t is not None])
        self.assertEqual(dict(mine.attrib), dict(theirs.attrib))
        self.assertEqual(told.count(None), kept)
        return told

    def test_a_row_is_what_horizon_draws_from_novas_answer(self):
        # Kept are the checkbox, the image, the addresses and the flavor.
        for changes in (*STATES, {'name': '<img src=x onerror=alert(1)>{$ 1 $}'}):
            with self.subTest(**changes):
                cells = self.same(self.nova(**changes), kept=4)
                self.assertIsNotNone(cells[-1], 'the actions')

    def test_a_name_is_text(self):
        self.assertNotIn('<img', self.drawn(self.nova(name='<img src=x onerror=alert(1)>').message()))

    def test_no_text_is_an_expression_for_angular(self):
        run = '{$ run $}'
        html = self.drawn(self.nova(name=run).message(availability_zone=run, key_name=run, host=run))
        self.assertNotIn('{$', html)
        self.assertIn('{% run %}', html)

    def test_the_actions_are_those_of_the_state(self):
        for changes, offered, not_offered in (
                ({'status': 'SUSPENDED', 'power': 'suspended'}, 'Resume Instance', 'Suspend Instance'),
                ({}, 'Suspend Instance', 'Resume Instance'),
                ({'locked': True}, 'Unlock Instance', '>Lock Instance'),
                ({'floating': True}, 'Disassociate Floating IP', 'Associate Floating IP')):
            html = self.drawn(self.nova(**changes).message())
            self.assertIn(offered, html)
            self.assertNotIn(not_offered, html.replace('Disassociate', ''))

    def test_a_policy_that_forbids_an_action_hides_it(self):
        def check(actions, request, target=None):
            return ('compute', 'os_compute_api:os-suspend-server:suspend') not in actions
        self.assertIn('action_suspend', self.drawn(self.nova().message()))
        with override_settings(POLICY_CHECK_FUNCTION=check):
            self.assertNotIn('action_suspend', self.drawn(self.nova().message()))

    @override_settings(POLICY_CHECK_FUNCTION=policy.check)
    def test_the_actions_are_told_also_under_novas_policies(self):
        for changes in (*STATES, {'status': 'BUILD', 'task': 'spawning'}, {'status': 'ERROR'}, {'status': 'RESIZE', 'task': 'resize_finish'},
                        {'status': 'SOFT_DELETED'}, {'status': 'REBUILD', 'task': 'rebuilding'}, {'status': 'MIGRATING', 'task': 'migrating'}):
            with self.subTest(**changes):
                self.same(self.nova(**changes), kept=4)

    def test_an_action_that_asks_for_more_has_the_actions_kept(self):
        with mock.patch.object(project_tables.ConsoleLink, 'allowed', lambda action, request, instance: instance.full_flavor.ram > 0), \
                self.assertLogs('horizon.tables.base', 'ERROR'):
            _, cells = self.cells(self.drawn(self.nova().message()))
        self.assertIsNone(cells[-1])
        self.assertEqual(cells.count(None), 4 + 1)

    def test_what_is_not_told_is_kept(self):
        # The legacy format has neither of these; the actions depend on them.
        _, cells = self.cells(self.drawn(self.nova().message(power_state=..., locked=..., key_name=...)))
        self.assertEqual(cells.count(None), 4 + 4)
        self.assertIsNone(cells[-1])
        for absent in ({'addresses': ...}, {'locked': ...}, {'power_state': ...}):
            self.assertIsNone(self.cells(self.drawn(self.nova().message(**absent)))[1][-1], absent)

    def test_a_page_that_shows_no_addresses_has_its_actions_kept(self):
        message = self.nova().message()
        del message['shown']
        self.assertIsNone(self.cells(self.drawn(message))[1][-1])

    def test_in_the_users_language(self):
        request = {'dashboard': 'project', 'rows': [self.nova(status='SUSPENDED').message()]}
        html = self.ask(request, HTTP_ACCEPT_LANGUAGE='de').json['rows'][ONE]
        self.assertIn('Ausgesetzt', html)

    def test_links_lead_back_to_the_page(self):
        self.assertIn('next=%2Fproject%2Finstances%2F%3Fmarker%3Dabc', self.drawn(self.nova().message(), query='?marker=abc'))
        row, _ = self.cells(self.drawn(self.nova().message(), query='?marker=abc'))
        self.assertTrue(row.get('data-update-url').startswith('/project/instances/?action=row_update'))

    def test_of_the_query_only_the_page_is_taken(self):
        query = '?action=row_update&table=instances&obj_id=x&prev_marker=abc&other=1'
        self.assertIn('next=%2Fproject%2Finstances%2F%3Fprev_marker%3Dabc"', self.drawn(self.nova().message(), query=query))
        with mock.patch.object(project_tables.LaunchLinkNG, 'allowed', return_value=True) as allowed:
            self.drawn(self.nova().message(), query=query)
        allowed.assert_not_called()

    def test_what_the_services_can_do_is_asked_once(self):
        for _ in range(3):
            self.drawn(self.nova().message())
        self.assertEqual(self.versions.call_count, 1)

    def test_what_nova_would_not_say_is_not_drawn(self):
        for odd in ({'id': "x'); alert(1); ('"}, {'id': 7}, {'status': 'active<'}, {'status': None}, {'task': 'a b'}, {'task': 7}, {'name': 7},
                    {'name': 'x' * 256}, {'project_id': {}}, {'data': []}, {'data': {'locked': 'yes'}}, {'data': {'power_state': 99}},
                    {'data': {'power_state': []}}, {'data': {'created_at': 'never'}}, {'data': {'addresses': [{'address': 'x'}]}},
                    {'data': {'addresses': ['x']}}, {'data': {'addresses': []}, 'shown': ['x']}, {'data': {'availability_zone': []}},
                    {'data': {'addresses': [{'address': '192.0.2.1'}] * 300}}):
            body = {'dashboard': 'project', 'rows': [{**self.nova().message(), **odd}, ]}
            response = self.ask(body)
            self.assertEqual(response.status_code, 200, odd)
            self.assertEqual(list(response.json['rows'].values()), [None], odd)
        self.assertEqual(list(self.ask({'dashboard': 'project', 'rows': ['x']}).json['rows'].values()), [None])

    def test_a_table_that_cannot_be_so_drawn_is_left_to_horizon(self):
        with mock.patch.object(rows, '_told_of', set()):
            for broken in (mock.patch.object(project_tables.DetachInterface, 'get_link_url', side_effect=Exception('asks for more')),
                           mock.patch.object(project_tables.InstancesTable, '__init__', side_effect=TypeError('takes more'))):
                with broken, self.assertLogs('horizon_realtime.rows', 'WARNING') as logs:
                    self.assertIsNone(self.drawn(self.nova().message()))
                    self.assertIsNone(self.drawn(self.nova().message()))
                    rows._told_of.clear()
                self.assertEqual(len(logs.output), 1, 'not for each row')
                self.assertIn('InstancesTable', logs.output[0])

    def test_a_page_of_a_deployments_own_without_a_table(self):
        with mock.patch.object(project_views.IndexView, 'table_class', None):
            self.assertEqual(self.ask({'dashboard': 'project', 'rows': []}).status_code, 404)

    def test_a_body_that_is_none(self):
        good = {'dashboard': 'project', 'rows': []}
        for odd in ({'dashboard': 'identity'}, {'dashboard': []}, {'rows': {}}, {'rows': [{}] * 21}, {'query': 7}, {'query': 'x' * 2049}, {'query': '&' * 2048},
                    {'query': 'marker=\ud800'}, {'query': '\ud800=1'}):
            self.assertEqual(self.ask({**good, **odd}).status_code, 400, odd)
        self.assertEqual(self.ask(['x']).status_code, 400)
        for even in ({}, {'query': ''}, {'query': '?marker=%ff'}, {'query': 'marker=%ED%A0%80'}, {'rows': [{**self.nova().message(), 'name': '\ud800'}]}):
            self.assertEqual(self.ask({**good, **even}).status_code, 200, even)

    def test_only_a_page_of_horizon_may_ask(self):
        good = {'dashboard': 'project', 'rows': []}
        self.assertEqual(self.ask(good, HTTP_X_CSRFTOKEN=None).status_code, 403)
        self.assertEqual(self.ask(good, HTTP_X_REQUESTED_WITH=None).status_code, 400)
        self.assertEqual(self.ask(good, 'get').status_code, 405)

    def test_only_a_user_may_ask(self):
        auth_utils.get_user = self._real_get_user
        self.assertEqual(self.ask({'dashboard': 'project', 'rows': []}).status_code, 401)

    def test_a_panel_that_is_not_the_users_is_not_there(self):
        self.assertEqual(self.ask({'dashboard': 'admin', 'rows': []}).status_code, 404)

    @override_settings(REALTIME_ENABLED=False)
    def test_switched_off_it_is_not_there(self):
        self.assertEqual(self.ask({'dashboard': 'project', 'rows': []}).status_code, 404)

    @override_settings(REALTIME_MODE='hint')
    def test_where_rows_are_fetched_it_is_not_there(self):
        self.assertEqual(self.ask({'dashboard': 'project', 'rows': []}).status_code, 404)

    def test_keystone_is_not_asked_for_the_users_projects(self):
        self.setActiveUser(id=self.user.id, token=self.token, tenant_id=self.tenant.id, service_catalog=self.service_catalog)
        request = RequestFactory().get('/')
        request.user = auth_utils.get_user(request)
        with mock.patch.object(auth_utils, 'get_project_list', return_value=[]) as asked:
            page, _ = rows.page_of(request, 'project', '')
            self.assertEqual(page.user.authorized_tenants, [])
        asked.assert_not_called()

    def test_other_requests_ask_as_ever(self):
        request = RequestFactory().get('/')
        request.user = auth_utils.get_user(request)
        for _ in range(2):
            api.nova.get_microversion(request, 'locked_attribute')
        self.assertEqual(self.versions.call_count, 1, "Horizon's own memory is that of a request")
        other = RequestFactory().get('/')
        other.user = request.user
        api.nova.get_microversion(other, 'locked_attribute')
        self.assertEqual(self.versions.call_count, 2)


class AdminRowsTest(helpers.BaseAdminViewTests, RowsTest):
    def test_an_admins_row(self):
        nova = self.nova(status='SUSPENDED', power='suspended')
        html = self.drawn(nova.message(), dashboard='admin')
        _, told = self.cells(html)
        _, shown = self.cells(self.as_horizon(nova, admin_tables.AdminInstancesTable))
        self.assertEqual([cell for cell in told if cell is not None], [s for t, s in zip(told, shown) if t is not None])
        # Kept are the checkbox, the project's name, the image, the addresses and the flavor.
        self.assertEqual(told.count(None), 5)
        self.assertIn('cloud1', html)

    test_a_panel_that_is_not_the_users_is_not_there = None
