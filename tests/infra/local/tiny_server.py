"""A model server that does what its model, `model/tiny.json`, and its requests tell it.

tiny.json: `{"name": ..., "exit": status}`; a server whose model has `exit` ends at once.
Requests: `crash` ends it, `hang` is never answered, `bad` and `broken` are errors, all else is
echoed with the model's name.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MODEL = json.loads((Path(os.environ["LONGSPAN_BASE"]) / "model/tiny.json").read_text())
ERRORS = {"bad": 400, "broken": 500}
CUSTOM = "X-Amzn-SageMaker-Custom-Attributes"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if body == "crash":
            os._exit(3)
        if body == "hang":
            time.sleep(3600)
        status = ERRORS.get(body, 200)
        echo = {"model": MODEL["name"], "body": body, "greeting": os.environ.get("GREETING")}
        self._answer(status, body.encode() if status > 200 else json.dumps(echo).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.headers.get(CUSTOM):
            self.send_header(CUSTOM, self.headers[CUSTOM].upper())
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    print(f"serving {MODEL['name']}", flush=True)
    if "exit" in MODEL:
        sys.exit(MODEL["exit"])
    port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
