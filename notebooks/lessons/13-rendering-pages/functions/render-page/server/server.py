"""The same pages from a web server: python server.py WORKERS.

It finds page.py by PYTHONPATH, prints its address, and ends with its input:
at the latest with the process that started it.
"""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from page import render


class Server(HTTPServer):
    """So many requests at a time as there are workers; the others wait in line."""

    request_queue_size = 128

    def __init__(self, workers):
        self.workers = ThreadPoolExecutor(workers)
        super().__init__(("127.0.0.1", 0), Handler)

    def process_request(self, request, client_address):
        self.workers.submit(super().process_request, request, client_address)


class Handler(BaseHTTPRequestHandler):
    # or else the body waits until the client has confirmed the headers
    disable_nagle_algorithm = True

    def do_GET(self):
        url = urlsplit(self.path)
        status, page = render(url.path, parse_qs(url.query).get("visitor", ["you"])[0])
        body = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing: the notebook measures."""


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    server = Server(int(sys.argv[1]))
    threading.Thread(target=end_with_input, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
