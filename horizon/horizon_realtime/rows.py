"""POST /api/realtime/rows/: rows of the instances tables, drawn from panel messages.

In: what a page was told of some servers. Out: their rows, as Horizon's own table,
policies and templates draw them in the user's language, without a call to a
service. What the messages do not tell is marked, and the page keeps what it has.

Everything comes from the browser, and goes back to it only: nobody sees here what
he has not sent himself.
"""

import copy
import logging

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django import urls as django_urls
from django.views import generic
import horizon
from horizon.templatetags.horizon import has_permissions
from openstack_dashboard.api.rest import urls
from openstack_dashboard.api.rest import utils as rest_utils

from horizon_realtime import conf
from horizon_realtime import facts
from horizon_realtime import server

LOG = logging.getLogger(__name__)

# Rows per request; a page that has more sends several requests.
ROWS_MAX = 20
QUERY_MAX = 2048
# An attribute of <td>: the cell keeps what the page shows.
KEEP = 'data-realtime-keep'

_told_of = set()   # classes of tables of which the log has said that they cannot be so drawn


@urls.register
class Rows(generic.View):
    """Rows that Horizon draws without asking a service."""

    url_regex = r'realtime/rows/$'

    @rest_utils.ajax(data_required=True)
    def post(self, request):
        """Draw rows.

        The body: {"dashboard": "project" or "admin", "query": the page's own
        (with its marker), "rows": what server.read takes, at most 20}. The
        answer: {"rows": {id: the <tr>, or null where it could not be drawn}}.

        404: switched off, the mode is another, or not this user's panel. 400: the body is not that.
        What a row says may be anything; where it is not what nova says, it is not drawn.
        """
        if not conf.get('REALTIME_ENABLED') or conf.get('REALTIME_MODE') != 'payload':
            return rest_utils.JSONResponse('switched off', 404)
        body = request.DATA
        if (not isinstance(body, dict) or body.get('dashboard') not in ('project', 'admin')
                or not isinstance(body.get('rows'), list) or len(body['rows']) > ROWS_MAX
                or not isinstance(body.get('query', ''), str) or len(body.get('query', '')) > QUERY_MAX):
            return rest_utils.JSONResponse('malformed', 400)
        if not may_see(request, body['dashboard']):
            return rest_utils.JSONResponse('no such panel', 404)
        try:
            page, table_class = page_of(request, body['dashboard'], body.get('query', ''))
        except ValueError:
            return rest_utils.JSONResponse('malformed', 400)
        if table_class is None:
            return rest_utils.JSONResponse('no such table', 404)
        response = rest_utils.JSONResponse({'rows': {id_of(row): draw(table_class, page, row) for row in body['rows']}})
        response['Cache-Control'] = 'no-store'
        return response


def may_see(request, dashboard):
    """Whether the user may open the panel, as Horizon itself judges it."""
    try:
        components = horizon.get_dashboard(dashboard), horizon.get_dashboard(dashboard).get_panel('instances')
    except horizon.base.NotRegistered:
        return False
    return all(has_permissions(request.user, each) and each.can_access({'request': request}) for each in components)


def page_of(request, dashboard, query):
    """The request for the page that shows the table, and the table's class.

    The class is that of the view which serves the page, also where a deployment
    has put one of its own in Horizon's place; None where that has no such table.
    Raises ValueError where the query is none.
    """
    path = django_urls.reverse('horizon:%s:instances:index' % dashboard)
    view = django_urls.resolve('/' + path[len(django_urls.get_script_prefix()):])
    page = facts.remembering(copy.copy(request))
    page.user.authorized_tenants = []   # this request's user; a page's head lists them, for which Horizon asks keystone
    page.method = 'GET'
    page.path = path
    table_class = getattr(getattr(view.func, 'view_class', None), 'table_class', None)
    page.GET = which_page(table_class, query)
    page.META = dict(request.META, QUERY_STRING=page.GET.urlencode(), REQUEST_METHOD='GET')
    return page, table_class


def which_page(table_class, query):
    """What of a query says which of a table's pages it is: links lead back there.

    Anything else could have the table do more than draw. Raises ValueError.
    """
    kept = QueryDict(mutable=True)
    try:
        given = QueryDict(query.lstrip('?').encode())
    except SuspiciousOperation:
        raise ValueError('too many parameters')
    meta = getattr(table_class, '_meta', None)
    for name in (getattr(meta, 'pagination_param', None), getattr(meta, 'prev_pagination_param', None)):
        if name in given:
            kept[name] = given[name]
    return kept


def id_of(row):
    return str(row.get('id', ''))[:server.TEXT_MAX] if isinstance(row, dict) else ''


def draw(table_class, page, row):
    """One row's HTML; None if that needs more than the message says."""
    try:
        members = server.read(row)
    except ValueError as e:
        LOG.info('could not draw a row from a message: %s', e)
        return None
    try:
        table = table_class(page)
        table._meta = copy.copy(table._meta)   # the class's own is everybody's
        table._meta.cell_class = marking(table._meta.cell_class)
        drawn = table._meta.row_class(table)
        drawn.load_cells(server.Server(members, page))
        return drawn.render()
    except Exception:
        # A deployment's own table may need anything; Horizon then draws the row from nova's answer.
        if table_class not in _told_of:
            _told_of.add(table_class)
            LOG.warning('could not draw a row of %s from a message; its rows are fetched, which is not said again', table_class.__name__, exc_info=True)
        return None


def marking(cell_class):
    """A cell that says whether the page should keep its own instead."""
    class Cell(cell_class):
        def get_data(self, datum, column, row):
            datum.asked_for(in_actions=column.auto == 'actions')
            try:
                data = super().get_data(datum, column, row)
            except Exception:
                if not datum.doubtful:
                    raise
                data = row.table._data_cache[column][row.table.get_object_id(datum)] = ''
            if datum.doubtful or column.auto == 'multi_select':
                self.attrs[KEEP] = 'true'
            return data
    return Cell
