"""Runs a Python handler on the Lambda Runtime API: runtime.py MODULE.FUNCTION, in its folder."""
import importlib
import json
import os
import sys
import traceback
from urllib.request import Request, urlopen

api = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/"
sys.path[0] = os.getcwd()
module, function = sys.argv[1].rsplit(".", 1)
handler = getattr(importlib.import_module(module.replace("/", ".")), function)
while True:
    with urlopen(api + "next") as invocation:
        request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(invocation)
    try:
        kind, answer = "response", handler(event, None)
    except Exception as error:
        traceback.print_exc()
        kind, answer = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
    urlopen(Request(f"{api}{request_id}/{kind}", json.dumps(answer).encode())).close()
