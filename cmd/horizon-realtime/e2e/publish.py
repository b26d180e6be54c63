#!/usr/bin/python3
"""Publishes one server's life the way nova does: with oslo.messaging's own notifier.

publish.py URL, then on standard input one JSON object a line:
    {"step": "create|suspend|resume|delete", "formats": ["legacy", "versioned"],
     "instance": id, "project": id, "user": id, "name": text}
Each is answered by a line `ok N`, N being the notifications sent. The messages are recorded ones, with
the ids and the name put in.
"""
import json
import os
import sys

import oslo_messaging
from oslo_config import cfg

HERE = os.path.dirname(os.path.abspath(__file__))
TOPICS = {"legacy": "notifications", "versioned": "versioned_notifications"}


def recorded():
    with open(os.path.join(HERE, "testdata", "life.jsonl"), encoding="utf-8") as lines:
        return lines.read().splitlines()


def put(text, order):
    for placeholder, key in (("@INSTANCE@", "instance"), ("@PROJECT@", "project"), ("@USER@", "user"), ("@NAME@", "name")):
        text = text.replace(placeholder, json.dumps(order[key])[1:-1])
    return json.loads(text)


def main():
    oslo_messaging.set_transport_defaults("nova")
    conf = cfg.ConfigOpts()
    conf([])
    transport = oslo_messaging.get_notification_transport(conf, url=sys.argv[1])
    notifiers = {
        form: oslo_messaging.Notifier(transport, driver="messagingv2", topics=[topic])
        for form, topic in TOPICS.items()
    }
    life = recorded()
    print("ready", flush=True)
    for line in sys.stdin:
        order, sent = json.loads(line), 0
        for text in life:
            message = put(text, order)
            if message["step"] != order["step"] or message["format"] not in order["formats"]:
                continue
            notifier = notifiers[message["format"]].prepare(publisher_id=message["publisher_id"])
            getattr(notifier, message["priority"])(message["context"], message["event_type"], message["payload"])
            sent += 1
        print("ok", sent, flush=True)


if __name__ == "__main__":
    main()
