"""The whole life of users and groups through the clients that programs use: databricks-sdk, scim-client. Ends with an error where an
answer is not what it should be."""

import os
import sys
import uuid

base, token = sys.argv[1], os.environ["TOKEN"]
origin, path = "/".join(base.split("/")[:3]), "/" + "/".join(base.split("/")[3:])


def new_name():
    return f"{uuid.uuid4()}@example.com"


def scim2_cli():
    import json
    import subprocess

    def run(*arguments, fails=False):
        command = [sys.executable, "-c", "from scim2_cli import cli; cli()", "--url", base]
        headers = {"SCIM_CLI_HEADERS": f"Authorization: Bearer {token}"}
        done = subprocess.run(
            command + list(arguments), env=os.environ | headers, capture_output=True, text=True
        )
        assert (done.returncode != 0) == fails, (arguments, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    name = new_name()
    user = run("create", "user", "--user-name", name, "--display-name", "Ada")
    assert user["userName"] == name, user
    group = run("create", "group", "--display-name", f"team {name}")
    members = json.dumps([{"value": user["id"]}])
    run("modify", "group", group["id"], "add", "members", members)
    assert run("query", "group", group["id"])["members"][0]["value"] == user["id"]
    run("modify", "user", user["id"], "replace", "active", "false")
    user = run("query", "user", user["id"])
    assert (user["displayName"], user["active"]) == ("Ada", False), user
    found = run("search", "--filter", f'userName eq "{name}"')
    assert [it["id"] for it in found["Resources"]] == [user["id"]], found
    changed = run("replace", "user", "--id", user["id"], "--user-name", name, "--display-name", "Countess")
    assert changed["displayName"] == "Countess", changed
    run("delete", "group", group["id"])
    run("delete", "user", user["id"])
    run("query", "user", user["id"], fails=True)


def databricks():
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service import iam

    client = WorkspaceClient(host=origin, token=token)
    do = client.api_client.do
    # The one thing that is not as the client has it: where the service is.
    client.api_client.do = lambda method, to=None, *more, **named: do(
        method, to.replace("/api/2.0/preview/scim/v2", path), *more, **named
    )
    name = new_name()
    user = client.users_v2.create(
        user_name=name,
        display_name="Ada",
        name=iam.Name(given_name="Ada", family_name="Lovelace"),
        emails=[iam.ComplexValue(value=name, type="work", primary=True)],
        active=True,
    )
    assert (user.user_name, user.active, user.emails[0].value) == (name, True, name), user
    group = client.groups_v2.create(
        display_name=f"team {name}", members=[iam.ComplexValue(value=user.id)]
    )
    assert [member.value for member in group.members] == [user.id], group

    found = list(client.users_v2.list(filter=f'userName eq "{name}"', attributes="id,userName"))
    assert [(it.id, it.display_name) for it in found] == [(user.id, None)], found
    assert user.id in [it.id for it in client.users_v2.list(count=1)]
    assert group.id in [it.id for it in client.groups_v2.list(count=1)]

    schema = [iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]
    patch = lambda op, path, value=None: iam.Patch(op=iam.PatchOp(op), path=path, value=value)
    # The client leaves a false out of what it sends; its users write it as text.
    client.users_v2.patch(user.id, operations=[patch("replace", "active", "False")], schemas=schema)
    assert client.users_v2.get(user.id).active is not True
    client.groups_v2.patch(
        group.id, operations=[patch("remove", f'members[value eq "{user.id}"]')], schemas=schema
    )
    assert not client.groups_v2.get(group.id).members
    members = [{"value": user.id}]
    client.groups_v2.patch(group.id, operations=[patch("add", "members", members)], schemas=schema)
    assert client.groups_v2.get(group.id).members[0].value == user.id

    client.users_v2.update(user.id, user_name=name, display_name="Countess", active=True)
    again = client.users_v2.get(user.id)
    assert (again.display_name, again.active) == ("Countess", True), again
    client.groups_v2.update(group.id, display_name=f"other {name}", members=[])
    again = client.groups_v2.get(group.id)
    assert (again.display_name, again.members) == (f"other {name}", None) or not again.members

    client.groups_v2.delete(group.id)
    client.users_v2.delete(user.id)
    try:
        client.users_v2.get(user.id)
    except Exception as error:
        assert type(error).__name__ == "NotFound", error
    else:
        raise AssertionError("the user is still there")


def scim_client():
    from urllib.error import HTTPError

    from scim_client import SCIMClient
    from scim_client.resources import User

    client = SCIMClient(base, token)
    name = new_name()
    user = User(
        id="",
        external_id=name,
        user_name=name,
        active=True,
        display_name="Ada",
        name={"given_name": "Ada", "family_name": "Lovelace"},
        emails=[{"value": name, "primary": True}],
    )
    made = client.create_user(user)
    assert (made.user_name, made.external_id, made.active) == (name, name, True), vars(made)
    made.display_name = "Countess"
    assert client.update_user(made).display_name == "Countess"
    assert client.read_user(made.id).display_name == "Countess"
    found = client.search_users(f'userName eq "{name}"')
    assert (found.total_results, found.resources[0].id) == (1, made.id), vars(found)
    client.delete_user(user_id=made.id)
    try:
        client.read_user(made.id)
    except HTTPError as error:
        assert error.code == 404, error
    else:
        raise AssertionError("the user is still there")


life = {"databricks-sdk": databricks, "scim-client": scim_client, "scim2-cli": scim2_cli}
life[sys.argv[2]]()
