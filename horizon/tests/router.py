"""A server in the router's place, which answers what a test wants it to."""
import http.server
import json
import threading

ANSWER = {'ticket': 'T1', 'expires_in': 30, 'channels': ['project/p/*'], 'position': {'epoch': 'e', 'offset': 41}}


class Router:
    """status and body are what it answers; requests is what it was asked.

    While `silent` is set, it does not answer at all.
    """

    def __init__(self):
        self.status, self.body, self.headers = 200, json.dumps(ANSWER), {}
        self.requests = []
        self.silent = False
        self._closing = threading.Event()
        router = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                length = int(self.headers.get('Content-Length', 0))
                router.requests.append({'path': self.path, 'headers': dict(self.headers),
                                        'body': json.loads(self.rfile.read(length))})
                if router.silent:
                    router._closing.wait()
                    return
                self.send_response(router.status)
                for name, value in router.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(router.body.encode())

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = 'http://127.0.0.1:%d/realtime' % self._server.server_address[1]

    def close(self):
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
