from django.apps import AppConfig


class HorizonRealtimeConfig(AppConfig):
    name = 'horizon_realtime'
    label = 'horizon_realtime'

    def ready(self):
        from horizon_realtime import conf
        conf.check()
        # Importing registers the views under Horizon's /api/, before the URLs
        # are read.
        from horizon_realtime import facts
        from horizon_realtime import rest  # noqa: F401
        from horizon_realtime import rows  # noqa: F401
        facts.install()
