"""Secrets with a structure are cut out of free text, and the text around them stays."""

from __future__ import annotations

import pytest

from obslib.redaction import Redactor

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 user=bob", "password=[redacted:assignment] user=bob"),
        ("PASSWORD : hunter2", "PASSWORD : [redacted:assignment]"),
        ("token: a1b2c3", "token: [redacted:assignment]"),
        ('{"api_key": "x y z", "n": 1}', '{"api_key": "[redacted:assignment]", "n": 1}'),
        ("{'password': 'x', 'n': 1}", "{'password': '[redacted:assignment]', 'n': 1}"),
        (r"{\"password\":\"x y\",\"n\":1}", r"{\"password\":\"[redacted:assignment]\",\"n\":1}"),
        ("headers: {'x-api-key': ['abc1']}", "headers: {'x-api-key': ['[redacted:assignment]']}"),
        ("<password>abc</password>", "<password>[redacted:assignment]</password>"),
        ("?access_token=abcdef&b=1", "?access_token=[redacted:assignment]&b=1"),
        ("https://h/p?user=a&password=b,c&z=1", "https://h/p?user=a&password=[redacted:assignment]&z=1"),
        ("password=a,b!c user=x", "password=[redacted:assignment] user=x"),
        ("host=h password='p q' dbname=d", "host=h password='[redacted:assignment]' dbname=d"),
        ("AccountKey=abc+/==;EndpointSuffix=x", "AccountKey=[redacted:assignment];EndpointSuffix=x"),
        ("PGPASSWORD=x psql", "PGPASSWORD=[redacted:assignment] psql"),
        ("run --password hunter2 --verbose", "run --password [redacted:assignment] --verbose"),
        ("run --api-key=abc", "run --api-key=[redacted:assignment]"),
        ("curl -u bob:hunter2 http://h/", "curl -u bob:[redacted:assignment] http://h/"),
        ("the password is hunter22, sorry", "the password is [redacted:assignment] sorry"),
        ("Authorization: Bearer abc.def", "Authorization: [redacted:bearer]"),
        ("{'Authorization': 'Basic x', 'a': 1}", "{'Authorization': '[redacted:bearer]', 'a': 1}"),
        ("sent bearer abcd1234 twice", "sent bearer [redacted:bearer] twice"),
        ("sent Basic dXNlcjpwYXNz", "sent Basic [redacted:bearer]"),
        ("Cookie: a=b; c=d", "Cookie: [redacted:assignment]"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: [redacted:assignment]"),
        ("postgres://u:p@db:5432/x", "postgres://u:[redacted:url_password]@db:5432/x"),
        ("postgres://u:p@ss/w0rd@db/x?a=b@c", "postgres://u:[redacted:url_password]@db/x?a=b@c"),
        ("redis://:pw@h/0", "redis://:[redacted:url_password]@h/0"),
        ("a://u:p@h,b://v:q@i", "a://u:[redacted:url_password]@h,b://v:[redacted:url_password]@i"),
        (f"key {PEM} end", "key [redacted:pem] end"),
        ("cut -----BEGIN EC PRIVATE KEY-----\nMIIE", "cut [redacted:pem]"),
        (f"jwt {JWT} end", "jwt [redacted:jwt] end"),
        ("used enroll_" + "aB3-" * 10 + "xyz once", "used [redacted:enrollment] once"),
        ("drew k3J9x2Lq8ZpW7vT5rY1m for you", "drew [redacted:high_entropy] for you"),
        ("DATABASE_URL=postgres://u:p@h/d", "DATABASE_URL=postgres://u:[redacted:url_password]@h/d"),
        ("[('Authorization', 'Kx9mmPq9vv'), ('cookie', 'sess8xQ')]",
         "[('Authorization', '[redacted:assignment]'), ('cookie', '[redacted:assignment]')]"),
        ("raw (b'cookie', b'sess8xQ')", "raw (b'cookie', b'[redacted:assignment]')"),
        ('[["cookie","a \'b"],["n","1"]]', '[["cookie","[redacted:assignment]"],["n","1"]]'),
        (r'[[\"cookie\",\"sess8xQ\"]]', r'[[\"cookie\",\"[redacted:assignment]\"]]'),
        ('[\n  "cookie",\n  "sess8xQ"\n]', '[\n  "cookie",\n  "[redacted:assignment]"\n]'),
        ("cut ('cookie', 'sess8", "cut ('cookie', '[redacted:assignment]"),
        ("('pin', 1234)", "('pin', [redacted:assignment])"),
        ("Bearer Bearer abcDEF123456ghiJKL789", "Bearer Bearer [redacted:bearer]"),
        ("bearer bearer basic dXNlcjpwYXNz", "bearer bearer basic [redacted:bearer]"),
        (r"password:\n  Kx9mmPq7vv", r"password:\n  [redacted:assignment]"),
        (r"password=\\r\\n Kx9mmPq7vv", r"password=\\r\\n [redacted:assignment]"),
        ("password%3DKx9mmPq4vv", "password%3D[redacted:assignment]"),
        ("next=%2Fp%253Fuser%255Bpassword%255D%253dKx9", "next=%2Fp%253Fuser%255Bpassword%255D%253d[redacted:assignment]"),
        ("mysql -pMyS3cretPw1 db", "mysql -p[redacted:assignment] db"),
        ("/usr/bin/mysqldump -uroot -p'a; b' db; ssh -p2222 h",
         "/usr/bin/mysqldump -uroot -p[redacted:assignment] db; ssh -p2222 h"),
        ("['mariadb', '-pMyS3cretPw1', 'db']", "['mariadb', '-p[redacted:assignment]', 'db']"),
        ("pass\u200bword=Kx9mmPq4vv", "password=[redacted:assignment]"),
        ("the pass\u2060word is hunter22", "the password is [redacted:assignment]"),
        ("ghp_16C7e42F\u200b292c6912E7710c838347Ae178B4a", "[redacted:prefixed_token]"),
        ("x\u200bghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted:high_entropy]"),
        ("DATABASE_URL=mysql2:whatever", "DATABASE_URL=[redacted:assignment]"),
    ],
)  # fmt: skip
def test_the_secret_goes_and_the_rest_stays(redactor: Redactor, text: str, expected: str) -> None:
    """Each shape is replaced by its marker, and a second pass changes nothing."""
    assert redactor.text(text) == expected
    assert redactor.text(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "token: expired", "invalid token: signature mismatch", "password: incorrect", "authorization: denied",
        "bearer authentication required", "Basic authentication failed", "basic checks passed", "tokens: 150", "tokens=12",
        "max_tokens=4096 token_count=12", "https://host:8080/path?email=a@b.c", "git@github.com:org/repo.git",
        "at 12:30:01 connected to 10.0.0.1:5432", "secrets:read-metadata and secrets:write", "GET /v1/orgs/{org}/apps 200",
        "password=${DB_PASSWORD}", "password=********", "password=<hidden>", "password is required", "key_id=abc",
        "idempotency_key=abcdefgh", "reset password 3 times", "[redacted:key] password=[redacted:key]", "a=b c:d e>f",
        "https://example.org/a:b/c@d", "set cookie policy", "--verbose -u", "--token", "passwords", "x -> y: z",
        "('token_count', 'abc')", "('token', 'required')", "['a', 'password', 'b']", "('tokens', 150)", "('monkey', 'banana')",
        "ssh -p2222 host", "docker run -p3306:3306 mysql:8", "mysql -p db", "mysql -P3306 --port=3306 -h db", "80%3A20 split",
        "\U0001f468\u200d\U0001f469 said soft\u00adhyphen", "bearer bearer required", "token%3Aexpired", r"token:\n expired",
        "deploy dep_01J8ZQ3V7Y5K2M4N6P8R0S1T2V of rel_01J8ZQ3V7Y5K2M4N6P8R0S1T2V is rolling (3/5)",
    ],
)  # fmt: skip
def test_ordinary_lines_stay(redactor: Redactor, text: str) -> None:
    """A line that only speaks about secrets, or looks a little like one, is not altered."""
    assert redactor.text(text) == text
