"""The runtime API by hand, with nothing but the standard library: what a client of one's own does, and what it does wrong."""

import http.client
import json
import os
import sys
import time

BASE = "/2018-06-01/runtime"
mode = sys.argv[1] if len(sys.argv) > 1 else "serve"
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def ask(method, path, body=None, headers={}):
    api.request(method, BASE + path, body, headers)
    answer = api.getresponse()
    return answer.status, answer.headers, answer.read()


if mode == "init-error":
    error = {"errorType": "Own.NoDatabase", "errorMessage": "there is no database", "stackTrace": []}
    status, _, answer = ask("POST", "/init/error", json.dumps(error), {"Lambda-Runtime-Function-Error-Type": "Own.NoDatabase"})
    print("init error:", status, answer.decode())
    sys.exit(1)
if mode == "exit":
    print("nothing to do")
    sys.exit(int(sys.argv[2]))
if mode == "hang":
    time.sleep(1000)

while True:
    status, headers, body = ask("GET", "/invocation/next")
    event = json.loads(body)
    request = headers["Lambda-Runtime-Aws-Request-Id"]
    if event.get("do") == "error":
        error = json.dumps({"errorType": "Own.Error", "errorMessage": "as it was posted"})
        told = {"Lambda-Runtime-Function-Error-Type": "Own.Error", "Content-Type": "application/json"}
        ask("POST", f"/invocation/{request}/error", error, told)
        continue
    seen = {}
    if event.get("do") == "wrong":
        # Each is refused, and none of them is the answer.
        seen = {
            "unknown id": ask("POST", "/invocation/no-such-id/response", "{}")[0],
            "next too early": ask("GET", "/invocation/next")[0],
            "init error too late": ask("POST", "/init/error", "{}")[0],
            "no route": ask("GET", "/invocation/other")[0],
            "wrong method": ask("POST", "/invocation/next")[0],
        }
    answer = {"event": event, "pid": os.getpid(), "headers": {name.lower(): value for name, value in headers.items()}, "seen": seen}
    status, _, told = ask("POST", f"/invocation/{request}/response", json.dumps(answer))
    print("response:", status, told.decode(), flush=True)
    if event.get("do") == "leave":
        sys.exit(0)
    if event.get("do") == "linger":
        time.sleep(event["seconds"])
