"""Horizon's side of horizon-realtime.

In: the logged-in user's page, which asks for a ticket. Out: the ticket, for
which the router was given the user's Keystone token, server to server; the
browser never sees that token. The page's side is in static/.
"""
