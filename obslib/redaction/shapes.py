"""Secrets with a structure: PEM blocks, URLs with passwords, authorization headers, JWTs, assignments.

Every function takes a text and gives it back without the secrets; ``hit`` counts one and names its marker.
All of them read the text from left to right a bounded number of times, so that a hostile line costs no more
per character than an honest one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable

from obslib.redaction.entropy import looks_random
from obslib.redaction.marks import is_marked
from obslib.redaction.names import is_plural_name, is_prose_name, is_secret_name

__all__ = [
    "scrub_assignments", "scrub_credentials", "scrub_mysql", "scrub_pem", "scrub_runs", "scrub_urls", "scrub_user_flags",
]  # fmt: skip

Hit = Callable[[str], str]

_URL_REST = re.compile(r"://(?:(?!://)[^\s\"'<>\\]){1,4096}")
_QUERY = re.compile(r"[?#]")
_CREDENTIALS = re.compile(
    r"\b(bearer|basic)(\s{1,4}|\s{0,2}[:=]\s{0,2})[\"']?(?!(?:bearer|basic)[\s:=])([A-Za-z0-9._~+/=-]{6,4096}+)", re.IGNORECASE
)
_HEADER = re.compile(
    r"\b((?:proxy-?|x-forwarded-)?authorization|(?:set-?)?cookie)(\\{0,4}[\"']?\s{0,3}[:=]\s{0,3})(\\{0,4}[\"']?)([^\r\n\"'\\]{1,8192}+)",
    re.IGNORECASE,
)
_STOP = r"\s\"'<>,;&)}\]"
_NAME = re.compile(
    r"(?<![\w.-])([\w.-]++)(\]?\\{0,4}[\"']?\]?(?:\s{0,3}(?::=|=>|={1,3}|:)\s{0,3}(?:\\{1,4}[nrt]\s{0,8}){0,2}"
    r"|>|(?:%(?:25){0,3}5[Dd])?%(?:25){0,3}3[AaDd]))(?:[bru](?=[\"']))?"
)
_VALUE = re.compile(
    r"[\[({]{0,2}\\{0,4}\"(?:[^\"\\\n]|\\[^\"\n])*|[\[({]{0,2}\\{0,4}'(?:[^'\\\n]|\\[^'\n])*"
    rf"|(?![\[({{])(?:[^{_STOP}]|[,;&)}}\]](?![{_STOP}]|$|\s{{0,2}}[\w.-]{{1,64}}[=:]))+"
)
_FLAG = re.compile(r"(?<![\w-])(--?([A-Za-z][\w-]{2,64}+)\s{1,3})(?!-)([\"']?[^\s\"']{1,1024}+)")
_USER_FLAG = re.compile(r"(?<![\w-])(-u\s{0,2}|--user\s{1,2})([\w.@-]{1,64}+:)(?!//)([^\s\"']{1,1024}+)")
_SPOKEN = re.compile(
    r"\b(pass(?:word|wd|phrase|code)\s{1,3}(?:(?:is|was|to|of|set\sto)\s{1,3})?)([\"']?(?=[^\s]{0,128}[0-9])[^\s]{6,1024}+)",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"([\[(]\s{0,64}+[bu]?(\\{0,4}[\"'])([\w.-]{1,128}+)\2(,)\s{0,64}+[bu]?)"
    r"(\\{0,4}\"(?:[^\"\\\n]|\\[^\"\n])*+|\\{0,4}'(?:[^'\\\n]|\\[^'\n])*+|[0-9][\w.-]{0,64}+)"
    r"(?=\\{0,4}[\"']?\s{0,64}+,?\s{0,64}+(?:[\])]|\Z))"
)
_MYSQL = re.compile(r"\b(?:mysql|mariadb)[\w-]{0,32}+(?=[\s\"',])(?:'[^'\n]*+'|\"[^\"\n]*+\"|[^\n|;&])*+", re.IGNORECASE)
_MYSQL_FLAG = re.compile(r"(?<=[\s\"'])(-p)('[^'\n]*+'?|\"[^\"\n]*+\"?|[^\s\"',\])]++)")
_HIDDEN = re.compile(r"[*.•]+|[xX]{3,}")
_QUOTED = re.compile(r"[\[({]{0,2}\\{0,4}[\"']")
_STEMS = (
    "pass", "pwd", "pw", "secret", "token", "key", "auth", "cred", "cookie", "jwt", "otp", "psk", "nonce", "dsn", "ciph",
    "csrf", "xsrf", "cvv", "cvc", "ssn", "pin", "code", "sig", "enroll", "uri", "url", "conn", "config", "kek", "dek", "sess",
    "mnemonic", "phrase", "pem", "plaintext", "bearer", "string",
)  # fmt: skip
_NOT_A_VALUE = frozenset(
    re.findall(
        r"\S+",
        "true false null none nil undefined empty missing required invalid expired unknown present absent set unset yes no ok "
        "failed denied revoked incorrect wrong mismatch not is was must should cannot and or the a an for of in to from with "
        "optional disabled enabled rejected accepted rotated refreshed malformed unexpected found error too has have will can "
        "all bearer basic string bytes str int hidden masked redacted removed omitted n/a",
    )
)
_RUN = re.compile(r"(?<![A-Za-z0-9_.+/=~-])[A-Za-z0-9_.+/=~-]{16,}+")
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}")
_ENROLLMENT = re.compile(r"enroll_[A-Za-z0-9_-]{43,128}+")
_DIGEST_BEFORE = re.compile(r"(?:sha(?:1|224|256|384|512)|md5|h1|etag|blake2b|blake3)[\"'\s:=-]{0,3}\Z", re.IGNORECASE)


def scrub_pem(text: str, hit: Hit) -> str:
    """Replace PEM blocks, whole; one that does not end takes the rest of the text with it."""
    parts, at = [], 0
    while (start := text.find("-----BEGIN ", at)) >= 0:
        parts.append(text[at:start] + hit("pem"))
        end = text.find("-----END ", start)
        close = text.find("-----", end + 9) if end >= 0 else -1
        at = close + 5 if close >= 0 else len(text)
    return "".join(parts) + text[at:] if parts else text


def scrub_urls(text: str, hit: Hit) -> str:
    """Replace the password in ``scheme://user:password@host``, also one that holds ``/`` or ``@`` unescaped."""
    if "://" not in text or "@" not in text:
        return text
    return _URL_REST.sub(lambda found: "://" + _url(found[0][3:], hit), text)


def _url(rest: str, hit: Hit) -> str:
    """The part after ``://``. A first ``host:8080`` is no user; before any other colon stands one."""
    at = rest.rfind("@")
    if at < 0:
        return rest
    if "?" in rest or "#" in rest:
        at = _QUERY.split(rest, maxsplit=1)[0].rfind("@")
    authority = rest.partition("/")[0]
    user, colon, word = authority.partition(":")
    if at < 0 or ("@" not in authority and (not colon or not word or word.isdigit())):
        return rest
    if not colon or "@" in user:
        name = authority[: authority.rfind("@")]
        return hit("url_password") + rest[len(name) :] if looks_random(name) else rest
    secret = rest[len(user) + 1 : at]
    return rest if not secret or is_marked(secret) else f"{user}:{hit('url_password')}{rest[at:]}"


def scrub_credentials(text: str, hit: Hit) -> str:
    """Replace what follows ``Bearer`` and ``Basic``, and the rest of an authorization or cookie header."""
    low = text.lower()
    if "authorization" in low or "cookie" in low:
        text = _HEADER.sub(lambda found: _header(found, hit), text)
    if "bearer" in low or "basic" in low:
        text = _CREDENTIALS.sub(lambda found: _credentials(found, hit), text)
    return text


def scrub_assignments(text: str, hit: Hit) -> str:
    """Replace the value in ``password=…``, ``"apiKey": "…"``, ``("cookie", "…")``, ``--token …`` and ``password is …``."""
    low = text.lower()
    if not any(stem in low for stem in _STEMS):
        return text
    if "=" in text or ":" in text or ">" in text or "%" in text:
        text = _scrub_named(text, hit)
    if "'," in text or '",' in text:
        text = _PAIR.sub(lambda found: _pair(found, hit), text)
    if "-" in text:
        text = _FLAG.sub(lambda found: found[0] if not _is_flag(found) else found[1] + hit("assignment"), text)
    return _SPOKEN.sub(lambda found: found[0] if is_marked(found[2]) else found[1] + hit("assignment"), text)


def scrub_user_flags(text: str, hit: Hit) -> str:
    """Replace the password in ``curl -u user:password``."""
    return _USER_FLAG.sub(lambda found: found[1] + found[2] + hit("assignment"), text)


def scrub_mysql(text: str, hit: Hit) -> str:
    """Replace the password in ``mysql -psecret`` and its kin; a ``-p`` of any other command stays."""

    def replace(found: re.Match[str]) -> str:
        return found[0] if _is_placeholder(found[2].strip("\"'")) else found[1] + hit("assignment")

    return _MYSQL.sub(lambda command: _MYSQL_FLAG.sub(replace, command[0]), text)


def scrub_runs(text: str, hit: Hit) -> str:
    """Replace JWTs, enrollment tokens and what looks random, among the long runs of token characters."""
    if "enroll_" in text:
        text = _ENROLLMENT.sub(lambda _: hit("enrollment"), text)

    def replace(found: re.Match[str]) -> str:
        run = found[0]
        start = run.find("eyJ")
        if start >= 0 and _JWT.match(run, start):
            return run[:start] + hit("jwt")
        if not looks_random(run) or _DIGEST_BEFORE.search(text, max(0, found.start() - 10), found.start()):
            return run
        return hit("high_entropy")

    return _RUN.sub(replace, text)


def _header(found: re.Match[str], hit: Hit) -> str:
    value = found[4].strip()
    if is_marked(value) or value.split(" ", 1)[0].lower().rstrip(",.;") in _NOT_A_VALUE - {"bearer", "basic"}:
        return found[0]
    if "=" not in value and value.isalpha() and value.islower():
        return found[0]
    kind = "bearer" if value[:6].lower() in {"bearer", "basic "} else "assignment"
    return f"{found[1]}{found[2]}{found[3]}{hit(kind)}"


def _credentials(found: re.Match[str], hit: Hit) -> str:
    scheme, value = found[1].lower(), found[3]
    if scheme == "basic":
        if not _is_basic(value):
            return found[0]
    elif len(value) < 40 and not any(letter.isdigit() for letter in value):
        return found[0]
    return f"{found[1]}{found[2]}{hit('bearer')}"


def _is_basic(value: str) -> bool:
    try:
        decoded = base64.b64decode(value.rstrip(".=") + "==", validate=False)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and all(octet >= 32 for octet in decoded)


def _scrub_named(text: str, hit: Hit) -> str:
    parts, kept, at = [], 0, 0
    while (named := _NAME.search(text, at)) is not None:
        at = named.end()
        if not is_secret_name(named[1]):
            continue
        given = _VALUE.match(text, at)
        if given is None:
            continue
        if not _is_secret_value(named[1], named[2], given[0]):
            at = given.end()
            continue
        parts += [text[kept:at], _opening(given[0]), hit("assignment")]
        kept = at = given.end()
    return "".join(parts) + text[kept:] if parts else text


def _pair(found: re.Match[str], hit: Hit) -> str:
    """A header as most client libraries print it: two quoted items in brackets, the first of which names a secret."""
    if not is_secret_name(found[3]) or not _is_secret_value(found[3], found[4], found[5]):
        return found[0]
    return f"{found[1]}{_opening(found[5])}{hit('assignment')}"


def _is_secret_value(name: str, separator: str, raw: str) -> bool:
    opening = _opening(raw)
    value = raw[len(opening) :].rstrip("\\\"'")
    if _is_placeholder(value) or value.lower().rstrip(".,;!") in _NOT_A_VALUE:
        return False
    if is_plural_name(name) and value.isdigit():
        return False
    is_prose = not opening and separator.startswith(":") and is_prose_name(name)
    return not (is_prose and _is_lower_word(value))


def _opening(raw: str) -> str:
    quoted = _QUOTED.match(raw)
    return quoted[0] if quoted else ""


def _is_lower_word(value: str) -> bool:
    word = value.rstrip(".,;!").replace("-", "")
    return word.isalpha() and word.islower()


def _is_flag(found: re.Match[str]) -> bool:
    value = found[3].strip("\"'")
    return is_secret_name(found[2]) and not _is_placeholder(value) and value.lower() not in _NOT_A_VALUE


def _is_placeholder(value: str) -> bool:
    return not value or is_marked(value) or value.startswith(("${", "%(", "{{", "<")) or _HIDDEN.fullmatch(value) is not None
