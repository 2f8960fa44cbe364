"""A function whose event says what it does. Run by awslambdaric, as on Lambda."""

import os
import signal
import subprocess
import sys
import time


def handler(event, context):
    do = event.get("do") if isinstance(event, dict) else None
    if do == "raise":
        raise ValueError("no such pet")
    if do == "exit":
        os._exit(event["code"])
    if do == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "sleep":
        time.sleep(event["seconds"])
    if do == "child":
        # Says who it is, and goes on for longer than anybody waits.
        child = subprocess.Popen(["sleep", "1000"])
        print("child", child.pid, flush=True)
        time.sleep(event["seconds"])
    if do == "print":
        print("on stdout")
        print("on stderr", file=sys.stderr)
    if do == "large":
        return "x" * event["bytes"]
    return {
        "event": event,
        "pid": os.getpid(),
        "requestId": context.aws_request_id,
        "functionName": context.function_name,
        "functionVersion": context.function_version,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "logGroup": context.log_group_name,
        "remaining": context.get_remaining_time_in_millis(),
        "client": context.client_context.custom if context.client_context else None,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "environment": {name: os.environ.get(name) for name in ("GREETING", "AWS_REGION", "LAMBDA_TASK_ROOT", "TZ", "_HANDLER")},
    }


def guard(event, context):
    """A Lambda authorizer: who brings the right token may do all that it asks for."""
    effect = "Allow" if event.get("authorizationToken") == "let me in" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "user",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"pid": os.getpid()},
    }


def proxy(event, context):
    """Behind a route: the answer is the event, as a gateway takes it from a function."""
    import json

    return {"statusCode": 200, "headers": {"content-type": "application/json", "x-pid": str(os.getpid())}, "body": json.dumps(event)}
