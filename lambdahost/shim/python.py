"""Runs a Python handler on Lambda's Runtime API, as Amazon's runtime interface client does."""

import _thread
import decimal
import http.client
import importlib
import json
import logging
import math
import os
import re
import sys
import time
import traceback
import uuid

API = "/2018-06-01/runtime/"
TASK = os.environ["LAMBDA_TASK_ROOT"]
request_id = ""


class Fault(Exception):
    """An error with a type of Lambda's own."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = kind, list(trace)


def end_with_host():
    """Ends the process when the other end of its standard input is gone."""
    alive = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)

    def wait():
        try:
            while os.read(alive, 1):
                pass
        except OSError:
            pass
        os._exit(1)

    _thread.start_new_thread(wait, ())


class RuntimeAPI:
    """One connection to the Runtime API."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method, path, body=None, headers=None):
        self.connection.request(method, API + path, body, headers or {})
        response = self.connection.getresponse()
        text = response.read()
        if response.status not in (200, 202):
            raise RuntimeError(f"Runtime API: {path}: {response.status}: {text.decode()}")
        return response.headers, text

    def fail(self, path, error):
        headers = {"Content-Type": "application/json"}
        kind = error["errorType"]
        if kind.isascii():
            headers["Lambda-Runtime-Function-Error-Type"] = kind
        self.call("POST", path, json.dumps(error).encode(), headers)


class Attributes:
    """Has the members of an object of JSON as attributes, those that are missing as None."""

    def __init__(self, names, members):
        for name in names:
            setattr(self, name, members.get(name))


def client_context(members):
    context = Attributes(("custom", "env", "client"), members)
    if context.client is not None:
        names = "installation_id app_title app_version_name app_version_code app_package_name"
        context.client = Attributes(names.split(), context.client)
    return context


class LambdaContext:
    """What a handler gets beside its event."""

    def __init__(self, headers):
        env = os.environ.get
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = env("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = None
        self.identity = Attributes(("cognito_identity_id", "cognito_identity_pool_id"), {})
        client = headers["Lambda-Runtime-Client-Context"]
        self.client_context = client_context(json.loads(client)) if client else None
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = (
            "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb"
            " function_version invoked_function_arn client_context identity tenant_id"
        )
        fields = ",".join(f"{name}={getattr(self, name)}" for name in names.split())
        return f"LambdaContext([{fields}])"


class Marshaller:
    """Encodes answers as simplejson does, which Lambda's runtime uses: Decimals are numbers, named
    tuples are objects, bytes are text."""

    def __init__(self):
        runtime = os.environ.get("AWS_EXECUTION_ENV", "")
        minor = runtime.rpartition(".")[2]
        self.ascii = not (minor.isdigit() and int(minor) >= 12)
        self.quote = uuid.uuid4().hex  # stands around a number that json must not round
        self.number = re.compile(f'"{self.quote}(.*?){self.quote}"')

    def encode(self, answer):
        text = json.dumps(self.plain(answer, ()), ensure_ascii=self.ascii)
        return self.number.sub(r"\1", text).encode()

    def plain(self, value, parents):
        if isinstance(value, (dict, list, tuple)):
            if id(value) in parents:
                raise ValueError("Circular reference detected")
            parents += (id(value),)
        if isinstance(value, tuple) and callable(getattr(value, "_asdict", None)):
            value = value._asdict()
        if isinstance(value, dict):
            return {self.key(k): self.plain(v, parents) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(v, parents) for v in value]
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, decimal.Decimal):
            return math.nan if value.is_nan() else f"{self.quote}{value}{self.quote}"
        return value

    @staticmethod
    def key(key):
        if isinstance(key, bytes):
            return key.decode()
        if key is None or isinstance(key, (str, int, float)):
            return key
        allowed = "str, int, float, bool or None"
        raise TypeError(f"keys must be {allowed}, not {type(key).__name__}")


def load(handler):
    """Finds the handler of module.function."""
    try:
        name, function = handler.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{handler}': {error}")
    if name.split(".")[0] in sys.builtin_module_names:
        raise Fault(
            "Runtime.BuiltInModuleConflict",
            f"Cannot use built-in module {name} as a handler module",
        )
    try:
        module = importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{name}': {error}")
    except SyntaxError as error:
        place = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise Fault(
            "Runtime.UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", [place]
        )
    if not hasattr(module, function):
        raise Fault(
            "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{name}'"
        )
    return getattr(module, function)


def describe(error):
    """Gives an exception as Lambda's error object, and writes it to the log."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        kind, frames = type(error).__name__, traceback.extract_tb(error.__traceback__)
        while len(frames) > 1 and frames[0].filename == __file__:
            frames.pop(0)
        trace = traceback.format_list([(f.filename, f.lineno, f.name, f.line) for f in frames])
    message = str(error)
    title = f"[ERROR] {kind}: {message}" if message else f"[ERROR] {kind}"
    text = f"{title}\nTraceback (most recent call last):\n" + "".join(trace)
    sys.stdout.write(text.rstrip("\n") + "\n")
    return {
        "errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace,
    }


class RequestFilter(logging.Filter):
    """Gives log lines the id of the event under way."""

    def filter(self, record):
        record.aws_request_id = request_id
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    layout = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    handler.setFormatter(logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(RequestFilter())
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)


def answer(handler, marshaller, headers, event):
    try:
        result = handler(json.loads(event), LambdaContext(headers))
    except Exception as error:
        return "error", describe(error)
    if isinstance(result, bytes):
        return "response", result
    try:
        return "response", marshaller.encode(result)
    except Exception as error:
        return "error", describe(
            Fault("Runtime.MarshalError", f"Unable to marshal response: {error}")
        )


def main():
    global request_id
    end_with_host()
    set_up_logging()
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        sys.path.pop(0)
    sys.path.insert(0, TASK)
    api, marshaller = RuntimeAPI(), Marshaller()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        api.fail("init/error", describe(error))
        sys.exit(1)
    while True:
        headers, event = api.call("GET", "invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        kind, result = answer(handler, marshaller, headers, event)
        path = f"invocation/{request_id}/{kind}"
        if kind == "error":
            api.fail(path, result)
        else:
            api.call("POST", path, result, {"Content-Type": "application/json"})


main()
