"""Secrets are taken out of a text, and the rest of it stays."""

import pytest

from helpers.masks import masked

HOOK = "https://hooks.slack.com/services/" + "T0000/B0000/" + "x" * 24
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY"


@pytest.mark.parametrize(
    "text, hidden",
    [
        (f"post({HOOK!r})", "x" * 24),
        (f"see {HOOK}", "B0000"),
        ("key = 'AKIA" + "ABCDEFGHIJKLMNOP'", "ABCDEFGHIJKLMNOP"),
        ("ASIA" + "ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOP"),
        (f"aws_secret_access_key = '{SECRET}'", SECRET),
        (f'{{"SecretAccessKey": "{SECRET}"}}', SECRET),
        (f"AWS_SECRET_ACCESS_KEY={SECRET}", SECRET),
        (f"print({SECRET!r})", SECRET),
        ("api_key='0123456789abcdef'", "0123456789abcdef"),
        ('os.environ["SLACK_TOKEN"] = "xoxb-123456-abcdef"', "xoxb-123456"),
        ("password: 'correct horse battery'", "horse"),
        ("arn:aws:iam::123456789012:role/me", "123456789012"),
        ("https://sqs.us-east-1.amazonaws.com/123456789012/mine", "123456789012"),
        ("my account is 123456789012.", "123456789012"),
        ("?X-Amz-Credential=AKIAX%2F2026&X-Amz-Signature=abcdef0123456789&x=1", "abcdef0123456789"),
    ],
)
def test_a_secret_is_hidden(text, hidden):
    assert hidden in text and hidden not in masked(text)
    assert "hidden" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        'WEBHOOK_URL = os.environ["WEBHOOK_URL"]',
        "token = page.get('NextToken')",
        "12345678901 and 1234567890123 are no accounts",
        "0.123456789012 USD, 123456789012.5 and 1.123456789012",
        "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef",
        "00000000-0000-4000-8000-000000000001",
        "secret = None",
        "a/path/of/the/kind/that/is/forty/letters/x",
        "",
    ],
)
def test_what_is_no_secret_stays(text):
    assert masked(text) == text


@pytest.mark.parametrize("text", ["x", "token", "a,", "/", "=", "'", "0", "services/T", "secret = '", "aB1/"])
def test_a_long_text_takes_no_long_time(text):
    """The time grows with the length: a regular expression that tries again at each place would not end here."""
    long = text * (400_000 // len(text))
    assert len(masked(long)) >= 1
