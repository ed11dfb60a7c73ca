"""Tokens that issuers mark with a prefix, as one table.

A row is the literal prefix, the class of the characters after it and how many there must be at least. Prefixes
that also begin ordinary words are marked ``odd``: what follows must read like a random token as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from obslib.redaction.entropy import has_token_mix

__all__ = ["scrub_tokens"]

_CLASSES = {"a": "A-Za-z0-9", "w": r"A-Za-z0-9_\-", "h": "0-9a-fA-F", "b": r"A-Za-z0-9_\-.=+/~", "n": "0-9"}

_ROWS = """
ghp_ a 30|gho_ a 30|ghu_ a 30|ghs_ a 30|ghr_ a 30|github_pat_ w 22
glpat- b 18|gldt- w 18|glrt- b 18|glrtr- w 18|glcbt- w 18|glptt- w 18|glft- w 18|glsoat- w 18|glimt- w 18|glagent- w 18
gloas- w 18|glffct- w 18|GR1348941 w 18|xoxb- w 11|xoxp- w 10|xoxa- w 10|xoxr- w 10|xoxs- w 10|xoxo- w 10|xoxe- w 10
xoxe. b 10|xoxc- w 10|xoxd- b 10|xapp- w 10|hooks.slack.com/services/ b 20|hooks.slack.com/workflows/ b 20
discord.com/api/webhooks/ b 20|discordapp.com/api/webhooks/ b 20|webhook.office.com/webhookb2/ b 20
AKIA a 16|ASIA a 16|ABIA a 16|ACCA a 16|A3T a 17|ABSK b 60|bedrock-api-key- b 20|amzn.mws. w 30|LTAI a 12|AKID a 28
AIza w 33|ya29. b 20|GOCSPX- w 24|1// odd 30|AQVN w 30|t1.9eu b 20|YCAJ w 20|YCM odd 30
sk_live_ a 10|sk_test_ a 10|sk_prod_ a 10|rk_live_ a 10|rk_test_ a 10|rk_prod_ a 10|whsec_ b 16|sk- odd 16|rk- odd 20
hf_ odd 30|api_org_ a 30|npm_ a 30|pypi-AgE b 20|rubygems_ h 40|dckr_pat_ w 20|dckr_oat_ w 20|oy2 odd 40|CLOJARS_ a 50
SG. b 30|key- h 32|xkeysib- w 40|SK h 32|dop_v1_ h 40|doo_v1_ h 40|dor_v1_ h 40|HRKU- w 30|fo1_ w 30|fm1_ b 30|fm1r_ b 30
fm2_ b 30|FlyV1 b 20|nfp_ a 30|vcp_ a 20|vercel_ odd 20|rnd_ odd 24|sbp_ h 36|sb_secret_ w 20|pscale_tkn_ b 30
pscale_pw_ b 30|pscale_oauth_ b 30|napi_ a 40|shpat_ h 32|shpca_ h 32|shppa_ h 32|shpss_ h 32|sq0atp- w 20|sq0csp- w 30
EAAA odd 40|EAA odd 60|A21AA w 40|aio_ a 26|ATATT3 b 60|ATCTT3 b 60|ATBB odd 24|pat-na1- w 30|pat-eu1- w 30|pat.pat. b 20
dapi h 32|NRAK- a 20|NRJS- a 15|NRII- w 25|NRIQ- w 25|NRRA- a 30|glsa_ w 30|glc_ b 30|sntrys_ b 40|sntryu_ h 40
dt0c01. b 40|dt0s01. b 40|dp.pt. a 30|dp.st. b 30|dp.ct. a 30|dp.sa. a 30|dp.scim. a 30|dp.audit. a 30|hvs. w 20|hvb. w 20
hvr. w 20|s. odd 24|b. odd 60|pul- h 36|lin_api_ a 30|lin_oauth_ h 40|ntn_ a 30|secret_ odd 36|PMAK- w 40|pnu_ a 30|pnb_ a 30
rdme_ a 40|tk-us- w 30|tfp_ b 40|figd_ w 30|figo_ w 30|fio-u- w 40|EZAK a 40|EZTK a 40|duffel_test_ w 30|duffel_live_ w 30
FLWSECK b 12|live_ h 30|test_ h 32|sk.eyJ b 20|pk.eyJ b 60|ico- a 30|s-s4t2ud- h 40|AKCp a 60|cmVmd a 50|ops_eyJ b 60
AGE-SECRET-KEY-1 a 40|p8e- a 30|v1.0- h 20|CCIPRJ_ b 30|CCIPAT_ b 30|bkua_ h 30|bkct_ b 20|squ_ h 32|sqp_ h 32|sqa_ h 32
tskey- w 16|ngrok_ odd 24|sha256~ w 40|pplx- a 30|gsk_ a 40|xai- a 40|r8_ a 30|fw_ odd 20|lsv2_ w 30|pcsk_ w 40
re_ odd 20|CFPAT- w 40|API- odd 24|sm_aat_ a 16|dnkey- w 40|sl. odd 50|nvapi- w 40|tvly- w 20|e2b_ h 30
esecret_ w 20|apify_api_ a 30|phc_ a 30|phx_ a 30|jina_ w 40|voy- odd 30|co_api_ a 20|cio odd 32|atlasv1. b 40
pat odd 60|ghapp_ a 30|gitea_ h 30|ops_ odd 60|doppler_ odd 30|rpa_ a 30|wandb_ w 30|lb_ odd 30|scw-secret- w 20
eyJrIjoi b 40|Atza| b 20|AAAAAAAAAAAAAAAAAAAAA b 40|EAACEdEose0cBA a 20|tok_live_ a 16|access-production- w 30
access-sandbox- w 30|access-development- w 30|ls_live_ w 16|FwoGZXIvYXdzE b 40|IQoJb3JpZ2lu b 40
"""


def _row(row: str) -> tuple[str, str, str]:
    literal, kind, least = row.rsplit(" ", 2)
    return literal, kind, least


_RULES = tuple(_row(row) for line in _ROWS.split("\n") for row in re.split(r"(?<=[0-9])\|", line) if row)
_STRUCTURED = (
    (":AA", r"(?<![0-9])[0-9]{8,11}:AA[A-Za-z0-9_-]{30,40}"),
    ("Q~", r"(?<![A-Za-z0-9_~.])[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}"),
    ("-us", r"(?<![0-9a-f])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9a-z])"),
    ("$argon2", r"\$argon2(?:id|i|d)\$[^\s\"']{20,512}"),
    ("$6$", r"\$6\$[^\s\"']{40,512}"),
    ("$5$", r"\$5\$[^\s\"']{40,512}"),
    ("$2", r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{50,60}"),
    ("-4", r"(?<![A-Za-z0-9])(?:sdk|mob|api)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
)


def scrub_tokens(text: str, hit: Callable[[str], str]) -> str:
    """``text`` without prefixed tokens; ``hit`` counts one of the given kind and returns its marker."""
    for literal, kind, least in _RULES:
        if literal in text:
            text = _scrub_one(text, literal, kind, least, hit)
    for literal, pattern in _STRUCTURED:
        if literal in text:
            text = re.sub(pattern, lambda _: hit("prefixed_token"), text)
    return text


def _scrub_one(text: str, literal: str, kind: str, least: str, hit: Callable[[str], str]) -> str:
    is_odd = kind == "odd"

    def replace(found: re.Match[str]) -> str:
        return found[0] if is_odd and not has_token_mix(found[1]) else hit("prefixed_token")

    return _pattern(literal, kind, least).sub(replace, text)


@cache
def _pattern(literal: str, kind: str, least: str) -> re.Pattern[str]:
    """The rule of one row, made when its prefix is first seen: most never are."""
    prefix, tail = re.escape(literal), _CLASSES["b" if kind == "odd" else kind]
    return re.compile(rf"{prefix}(?<![A-Za-z0-9]{prefix})([{tail}]{{{least},1024}}+)")
