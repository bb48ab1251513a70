"""State of IAM: users with their access keys, groups, roles and policies."""

from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import Any

from longspan.infra.local.control.clients import Clients
from longspan.infra.local.control.documents import load_json, save_json
from longspan.infra.local.moto import internals

__all__ = ["PersistedIdentities"]

# Members of roles that ListRoles shows, and CreateRole takes.
_ROLE_MEMBERS = ("Description", "MaxSessionDuration")
_KINDS = ("User", "Group", "Role", "LocalManagedPolicy")


class PersistedIdentities:
    """State of IAM, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def restore(self, clients: Clients) -> None:
        """Create policies, then the groups, roles and users that name them."""
        saved = load_json(self._path)
        if saved is None:
            return
        iam = clients.in_region("us-east-1").client("iam")
        for policy in saved["Policies"]:
            _create_policy(iam, policy)
        for group in saved["GroupDetailList"]:
            iam.create_group(GroupName=group["GroupName"], Path=group["Path"])
            _give_policies(iam, "group", group)
        for role in saved["RoleDetailList"]:
            _create_role(iam, role)
        for user in saved["UserDetailList"]:
            _create_user(iam, user)
        for key in saved["AccessKeys"]:
            _create_key(iam, key)

    def save(self, clients: Clients, region: str) -> None:
        """Save the whole account."""
        iam = clients.in_region("us-east-1").client("iam")
        pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=_KINDS)
        saved: dict[str, Any] = {
            name: [] for name in ("Policies", "GroupDetailList", "RoleDetailList", "UserDetailList")
        }
        for page in pages:
            for name, found in saved.items():
                found.extend(page.get(name, ()))
        _describe_policies(iam, saved["Policies"])
        _describe_roles(iam, saved["RoleDetailList"])
        saved["AccessKeys"] = [
            {**_named(key), "Secret": internals.secret_of(key["AccessKeyId"])}
            for user in saved["UserDetailList"]
            for key in iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]
        ]
        save_json(self._path, _plain(saved))


def _describe_roles(iam: Any, roles: list[dict[str, Any]]) -> None:
    """Add what the account's details do not show of roles."""
    pages = iam.get_paginator("list_roles").paginate()
    shown = {role["RoleName"]: role for page in pages for role in page["Roles"]}
    for role in roles:
        found = shown.get(role["RoleName"], {})
        role |= {name: found[name] for name in _ROLE_MEMBERS if found.get(name)}


def _describe_policies(iam: Any, policies: list[dict[str, Any]]) -> None:
    """Add what the account's details do not show of policies."""
    for policy in policies:
        found = iam.get_policy(PolicyArn=policy["Arn"])["Policy"]
        policy |= {name: found[name] for name in ("Description", "Tags") if found.get(name)}


def _named(key: Mapping[str, Any]) -> dict[str, str]:
    return {name: key[name] for name in ("UserName", "AccessKeyId", "Status")}


def _plain(value: Any) -> Any:
    """Return a value without its times, which only the service sets."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if not hasattr(v, "isoformat")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _create_policy(iam: Any, policy: Mapping[str, Any]) -> None:
    """Create a policy with its default version; other versions are not saved."""
    version = next(v for v in policy["PolicyVersionList"] if v["IsDefaultVersion"])
    iam.create_policy(
        PolicyName=policy["Arn"].rpartition("/")[2],  # moto's answer has no name
        Path=policy["Path"],
        PolicyDocument=_text(version["Document"]),
        Description=policy.get("Description") or "",
        Tags=policy.get("Tags", []),
    )


def _create_role(iam: Any, role: Mapping[str, Any]) -> None:
    iam.create_role(
        RoleName=role["RoleName"],
        Path=role["Path"],
        AssumeRolePolicyDocument=_text(role["AssumeRolePolicyDocument"]),
        Tags=role.get("Tags", []),
        **{name: role[name] for name in _ROLE_MEMBERS if name in role},
        **_boundary(role),
    )
    _give_policies(iam, "role", role)


def _create_user(iam: Any, user: Mapping[str, Any]) -> None:
    name = user["UserName"]
    iam.create_user(UserName=name, Path=user["Path"], Tags=user.get("Tags", []), **_boundary(user))
    _give_policies(iam, "user", user)
    for group in user.get("GroupList", ()):
        iam.add_user_to_group(GroupName=group, UserName=name)


def _create_key(iam: Any, key: Mapping[str, str]) -> None:
    created = iam.create_access_key(UserName=key["UserName"])["AccessKey"]["AccessKeyId"]
    internals.set_access_key(created, key["AccessKeyId"], key["Secret"])
    if key["Status"] != "Active":
        iam.update_access_key(**_named(key))


def _give_policies(iam: Any, kind: str, owner: Mapping[str, Any]) -> None:
    """Put the inline policies of a `user`, `group` or `role`, and attach its managed ones."""
    name = {f"{kind.title()}Name": owner[f"{kind.title()}Name"]}
    for policy in owner.get(f"{kind.title()}PolicyList", ()):
        getattr(iam, f"put_{kind}_policy")(
            **name,
            PolicyName=policy["PolicyName"],
            PolicyDocument=_text(policy["PolicyDocument"]),
        )
    for policy in owner.get("AttachedManagedPolicies", ()):
        getattr(iam, f"attach_{kind}_policy")(**name, PolicyArn=policy["PolicyArn"])


def _boundary(owner: Mapping[str, Any]) -> dict[str, str]:
    found = owner.get("PermissionsBoundary") or {}
    arn = found.get("PermissionsBoundaryArn")
    return {"PermissionsBoundary": arn} if arn else {}


def _text(document: Any) -> str:
    """Return a policy as text, which requests need; botocore's answers contain it parsed."""
    return document if isinstance(document, str) else dumps(document)
