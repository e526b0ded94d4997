"""Trust policies that AWS refuses, of a new role and of one that is there."""

import json

import pytest
from localaws_client import refused

LAMBDA = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
SYNTAX = "Syntax errors in policy."
ACTIONS = "AssumeRole policy may only specify STS AssumeRole actions."


def without(member):
    return {name: value for name, value in LAMBDA.items() if name != member}


def of(principal):
    return {**LAMBDA, "Principal": principal}


def document(statement, version="2012-10-17"):
    return json.dumps({"Version": version, "Statement": [statement]})


@pytest.fixture
def iam(clients):
    return clients("iam")


@pytest.fixture
def role(iam):
    iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=document(LAMBDA))
    yield "trusting"
    iam.delete_role(RoleName="trusting")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "This policy contains invalid Json"),
        ("[]", SYNTAX),
        ('{"Version": "2012-10-17", "Statement": []}', SYNTAX),
        (document(LAMBDA, "2020-01-01"), "Policy document must be version 2012-10-17 or greater."),
        (document({**LAMBDA, "Effect": "Maybe"}), SYNTAX),
        (document({**LAMBDA, "Colour": "red"}), SYNTAX),
        (document({**LAMBDA, "Resource": "*"}), "Has prohibited field Resource"),
        (document(without("Principal")), "Missing required field Principal"),
        (document(without("Action")), "Missing required field Action"),
        (document({**LAMBDA, "Action": "s3:GetObject"}), ACTIONS),
        (document({**LAMBDA, "Action": ["sts:AssumeRole", "lambda:InvokeFunction"]}), ACTIONS),
        (document({**LAMBDA, "Action": "*"}), ACTIONS),
        (document(of("lambda.amazonaws.com")), SYNTAX),
        (document(of({"Servant": "lambda.amazonaws.com"})), SYNTAX),
        (
            document(of({"Service": "lambda.example.com"})),
            'Invalid principal in policy: "SERVICE":"lambda.example.com"',
        ),
        (document(of({"Service": ["lambda.amazonaws.com", "x"]})), 'Invalid principal in policy: "SERVICE":"x"'),
        (document(of({"AWS": "somebody"})), 'Invalid principal in policy: "AWS":"somebody"'),
        (
            document(of({"AWS": "arn:aws:iam::000000000000:role/not-there"})),
            'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:role/not-there"',
        ),
    ],
)
def test_what_is_refused(iam, role, text, words):
    told = ("MalformedPolicyDocument", words)
    assert refused(iam.create_role, RoleName="refused", AssumeRolePolicyDocument=text) == told
    assert refused(iam.update_assume_role_policy, RoleName=role, PolicyDocument=text) == told
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"] == [LAMBDA]


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["000000000000", "arn:aws:iam::123456789012:role/of/another"]},
        {"AWS": "arn:aws:iam::000000000000:root"},
        {"AWS": "arn:aws:iam::000000000000:role/trusting"},
        {"Service": ["scheduler.amazonaws.com", "alexa-appkit.amazon.com"]},
        {"Federated": "cognito-identity.amazonaws.com"},
    ],
)
def test_who_may_be_trusted(iam, role, principal):
    statement = {**of(principal), "Action": ["sts:AssumeRole", "sts:TagSession"]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document(statement))
    assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"] == [statement]


def test_a_document_has_2048_characters_at_most(iam, role):
    statement = of({"AWS": [f"arn:aws:iam::123456789012:role/{number:030}" for number in range(40)]})
    told = refused(iam.update_assume_role_policy, RoleName=role, PolicyDocument=document(statement))
    assert told == ("LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048")
