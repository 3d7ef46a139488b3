"""Every check of scim2-tester against a service. Says one line of JSON for each: status, check, resource type, and what it was about."""

import json
import os
import random
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import check_server


def subject(result):
    """The attribute that a check was about, without the values that it made up."""
    data = result.data if isinstance(result.data, dict) else {}
    if "urn" in data:
        return data["urn"]
    return (result.reason or "").split(":")[0] if result.status.name != "SUCCESS" else ""


random.seed(7)  # the numbers that it makes up
client = Client(base_url=sys.argv[1], headers={"Authorization": f"Bearer {os.environ['TOKEN']}"})
for result in check_server(SyncSCIMClient(client)):
    line = [result.status.name, result.title, result.resource_type or "-", subject(result)]
    print(json.dumps(line + [(result.reason or "")[:600]]))
