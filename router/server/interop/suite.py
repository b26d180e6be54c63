"""Run centrifuge-python's tests one by one, each for at most 20 seconds: one that waits for
what the router does not do waits for ever. Clients that want protobuf, which the router does not
speak, count as skipped. Start it in the folder of centrifuge-python.

suite.py            all tests but those about positions that cannot be recovered
suite.py PART       those whose name has that in it"""

import os
import subprocess
import sys
import unittest


def flat(suite):
    for t in suite:
        if isinstance(t, unittest.TestSuite):
            yield from flat(t)
        else:
            yield t.id()


def one(name):
    import centrifuge.client as client

    init = client.Client.__init__

    def without_protobuf(self, *args, use_protobuf=False, **more):
        if use_protobuf:
            raise unittest.SkipTest("protobuf")
        init(self, *args, use_protobuf=False, **more)

    client.Client.__init__ = without_protobuf
    result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromName(name))
    os._exit(0 if result.wasSuccessful() else 1)  # tasks that still wait must not hold it up


part = sys.argv[1] if len(sys.argv) > 1 else ""
if part.startswith("tests."):
    one(part)
for name in flat(unittest.defaultTestLoader.discover("tests", top_level_dir=".")):
    if part not in name if part else "unrecoverable" in name:
        continue
    try:
        done = subprocess.run([sys.executable, __file__, name], timeout=20, capture_output=True, text=True,
                              env=dict(os.environ, PYTHONPATH=os.getcwd() + ":" + os.environ.get("PYTHONPATH", "")))
        print("PASS" if done.returncode == 0 else "FAIL", name, flush=True)
        if done.returncode:
            print("    " + "\n    ".join(done.stderr.strip().splitlines()[-12:]))
    except subprocess.TimeoutExpired:
        print("FAIL", name, "(still waiting after 20 s)", flush=True)
