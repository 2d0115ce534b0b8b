"""Handlers that Lambda's own runtime client and the shim must run alike."""
import collections
import datetime
import decimal
import logging
import os
import sys

Point = collections.namedtuple("Point", "x y")


class Custom(Exception):
    def __str__(self):
        return "custom: größer"


def echo(event, context):
    return event


def nothing(event, context):
    pass


def scalar(event, context):
    return 3.5


def text(event, context):
    return "naïve \u2028 \U0001f600 \x7f"


def raw(event, context):
    return b'{"raw": true}'


def numbers(event, context):
    d = decimal.Decimal
    return {
        "long": d("12345678901234567890.123456789"), "small": d("1E-10"), "int": d("7"),
        1: 2, 2.5: 3, None: 4, True: 5, "nested": [{"a": (d("1.10"),)}],
    }


def decimal_key(event, context):
    return {decimal.Decimal("2"): 1}


def nan(event, context):
    return [float("nan"), float("inf"), decimal.Decimal("NaN")]


def tuples(event, context):
    return {"point": Point(1, [Point(2, 3)]), "plain": (1, 2), "bytes": b"text", b"key": 1}


def a_set(event, context):
    return {1, 2}


def a_date(event, context):
    return {"at": datetime.datetime(2026, 1, 2)}


def bad_bytes(event, context):
    return {"bytes": b"\xff"}


def circle(event, context):
    loop = []
    loop.append(loop)
    return loop


def raises(event, context):
    raise ValueError("no such room: größer")


def raises_custom(event, context):
    raise Custom()


def raises_empty(event, context):
    raise KeyError


def inner(depth):
    if depth == 0:
        return {}["missing"]
    return inner(depth - 1)


def deep(event, context):
    try:
        inner(2)
    except KeyError as error:
        raise RuntimeError("outer\nwith a line break") from error


def recursion(event, context):
    return len(str(inner_forever()))


def inner_forever():
    return inner_forever()


def exits(event, context):
    sys.exit(3)


def exits_hard(event, context):
    os._exit(4)


def context_fields(event, context):
    client = context.client_context
    return {
        "request": context.aws_request_id, "name": context.function_name,
        "version": context.function_version, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
        "custom": client and client.custom, "env": client and client.env,
        "title": client and client.client and client.client.app_title,
        "left": 0 < context.get_remaining_time_in_millis() <= 60000,
        "tenant": context.tenant_id, "trace": os.environ["_X_AMZN_TRACE_ID"],
    }


def log(event, context):
    print("printed: größer")
    print("on error", file=sys.stderr)
    logging.getLogger().setLevel(logging.INFO)
    logging.info("informed %s", 1)
    logging.getLogger("mine").warning("warned\nin two lines")
    logging.debug("not this")
    context.log("by the context\n")


state = {"count": 0}


def counts(event, context):
    state["count"] += 1
    return state["count"] > 0


class Callable:
    def __call__(self, event, context):
        return "called"


instance = Callable()


def dispatch(event, context):
    return globals()[event["call"]](event, context)
