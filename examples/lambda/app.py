"""Two functions as they are deployed to Lambda; nothing in them knows where they run."""

import os
import time


def hello(event, context):
    """Behind a REST API: the event has format 1.0."""
    name = event["pathParameters"]["name"]
    languages = (event["multiValueHeaders"].get("Accept-Language") or ["none"])[0]
    print(f"greeting {name}, who reads {languages}")
    if name == "nobody":
        raise ValueError("nobody is there to greet")
    if name == "sloth":
        time.sleep(10)
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "multiValueHeaders": {"x-greeted": [name, event["requestContext"]["stage"]]},
        "body": f"{os.environ['GREETING']}, {name}!\n",
    }


def guard(event, context):
    """A Lambda authorizer for an HTTP API: format 2.0, simple responses."""
    return {"isAuthorized": event["identitySource"] == ["swordfish"], "context": {"who": "the fishmonger"}}
