"""Tests of the Django app, in the Horizon that is installed: `python3 -m django test tests --settings tests.settings`."""
