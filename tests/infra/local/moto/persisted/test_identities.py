"""Users, groups, roles, policies and keys after a restart."""

import json
from pathlib import Path
from typing import Any

from longspan.infra.local.moto.persisted.identities import PersistedIdentities
from tests.infra.local.moto.persisted.conftest import REGION, Moto

DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
)
FIRST = DOCUMENT.replace("s3:*", "logs:*")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


def restart(moto: Moto, path: Path) -> Any:
    PersistedIdentities(path).save(moto.clients, REGION)
    moto.forget()
    PersistedIdentities(path).restore(moto.clients)
    return moto.clients.in_region(REGION).client("iam")


def test_all_of_it_is_as_it_was(moto: Moto, tmp_path: Path) -> None:
    iam = moto.clients.in_region(REGION).client("iam")
    policy = iam.create_policy(
        PolicyName="managed",
        Path="/team/",
        PolicyDocument=FIRST,
        Description="ours",
        Tags=[{"Key": "c", "Value": "d"}],
    )["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DOCUMENT, SetAsDefault=True)
    iam.create_group(GroupName="group")
    iam.attach_group_policy(GroupName="group", PolicyArn=policy)
    iam.put_group_policy(GroupName="group", PolicyName="inline", PolicyDocument=DOCUMENT)
    iam.create_user(UserName="user", Path="/people/", Tags=[{"Key": "a", "Value": "b"}])
    iam.add_user_to_group(GroupName="group", UserName="user")
    iam.put_user_policy(UserName="user", PolicyName="inline", PolicyDocument=DOCUMENT)
    keys = [iam.create_access_key(UserName="user")["AccessKey"] for _ in range(2)]
    iam.update_access_key(UserName="user", AccessKeyId=keys[1]["AccessKeyId"], Status="Inactive")
    role = iam.create_role(
        RoleName="role",
        Path="/service/",
        AssumeRolePolicyDocument=TRUST,
        PermissionsBoundary=policy,
        Description="for jobs",
        MaxSessionDuration=7200,
    )["Role"]["Arn"]
    iam.attach_role_policy(RoleName="role", PolicyArn=policy)

    iam = restart(moto, tmp_path / "iam.json")
    found = iam.get_role(RoleName="role")["Role"]
    assert found["Arn"] == role
    assert (found["Description"], found["MaxSessionDuration"]) == ("for jobs", 7200)
    assert found["AssumeRolePolicyDocument"] == json.loads(TRUST)
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    (attached,) = iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]
    assert attached["PolicyArn"] == policy
    described = iam.get_policy(PolicyArn=policy)["Policy"]
    assert (described["Description"], described["Tags"]) == ("ours", [{"Key": "c", "Value": "d"}])
    version = described["DefaultVersionId"]
    kept = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]
    assert kept["Document"] == json.loads(DOCUMENT)
    assert iam.list_user_tags(UserName="user")["Tags"] == [{"Key": "a", "Value": "b"}]
    (group,) = iam.list_groups_for_user(UserName="user")["Groups"]
    assert group["GroupName"] == "group"
    inline = iam.get_group_policy(GroupName="group", PolicyName="inline")["PolicyDocument"]
    assert inline == json.loads(DOCUMENT)
    after = iam.list_access_keys(UserName="user")["AccessKeyMetadata"]
    assert {(key["AccessKeyId"], key["Status"]) for key in after} == {
        (keys[0]["AccessKeyId"], "Active"),
        (keys[1]["AccessKeyId"], "Inactive"),
    }
    secrets = {
        key["AccessKeyId"]: key["Secret"]
        for key in json.loads((tmp_path / "iam.json").read_text())["AccessKeys"]
    }
    assert secrets == {key["AccessKeyId"]: key["SecretAccessKey"] for key in keys}


def test_any_number_of_identities(moto: Moto, tmp_path: Path) -> None:
    iam = moto.clients.in_region(REGION).client("iam")
    names = [f"a{number:03}" for number in range(130)]
    for name in names:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Description=name)
        iam.create_user(UserName=name)
    for _ in range(2):
        iam = restart(moto, tmp_path / "iam.json")
        pages = list(iam.get_paginator("list_roles").paginate())
        found = {role["RoleName"]: role["Description"] for page in pages for role in page["Roles"]}
        assert found == {name: name for name in names}
        users = iam.get_paginator("list_users").paginate()
        assert [user["UserName"] for page in users for user in page["Users"]] == names


def test_once_more_changes_nothing(moto: Moto, tmp_path: Path) -> None:
    iam = moto.clients.in_region(REGION).client("iam")
    iam.create_user(UserName="user")
    iam.create_access_key(UserName="user")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    restart(moto, tmp_path / "iam.json")
    first = json.loads((tmp_path / "iam.json").read_text())
    restart(moto, tmp_path / "iam.json")
    again = json.loads((tmp_path / "iam.json").read_text())
    assert again["AccessKeys"] == first["AccessKeys"]
    for kind, name in (("UserDetailList", "Arn"), ("RoleDetailList", "Arn")):
        assert [one[name] for one in again[kind]] == [one[name] for one in first[kind]]


def test_the_file_is_its_owners_alone(moto: Moto, tmp_path: Path) -> None:
    PersistedIdentities(tmp_path / "iam.json").save(moto.clients, REGION)
    assert (tmp_path / "iam.json").stat().st_mode & 0o777 == 0o600


def test_no_file_restores_nothing(moto: Moto, tmp_path: Path) -> None:
    PersistedIdentities(tmp_path / "iam.json").restore(moto.clients)
    assert moto.clients.in_region(REGION).client("iam").list_users()["Users"] == []
