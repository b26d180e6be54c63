"""Switches the plugin on: copy or link this file into openstack_dashboard/local/enabled/."""

FEATURE = 'horizon_realtime'

ADD_INSTALLED_APPS = ['horizon_realtime']

ADD_JS_FILES = ['horizon_realtime/dist/realtime.js']

ADD_SCSS_FILES = ['horizon_realtime/realtime.scss']
