"""Tokens that issuers mark are found wherever they stand in a sentence."""

from __future__ import annotations

import random
import re
import string

import pytest

from obslib.redaction import Redactor
from obslib.redaction import tokens as rules

ALPHABETS = {
    "a": string.ascii_letters + string.digits, "w": string.ascii_letters + string.digits + "-_", "h": "0123456789abcdef",
    "n": string.digits, "u": string.ascii_uppercase + string.digits, "l": string.ascii_lowercase + string.digits,
}  # fmt: skip
FORMATS = """
ghp_{a36} gho_{a36} ghu_{a36} ghs_{a36} ghr_{a36} github_pat_{a22}_{a59} glpat-{w20} gldt-{w20} glrt-{w20} glptt-{h40}
glft-{w20} glsoat-{w20} glagent-{w50} xoxb-{n12}-{n12}-{a24} xoxp-{n12}-{n12}-{n12}-{h32} xoxe.xoxp-1-{a160}
xapp-1-{u11}-{n13}-{h64} AKIA{u16}
ASIA{u16} LTAI{a20} AKID{a32} AIza{w35} ya29.{w60} GOCSPX-{w28} 1//0{w40} sk_live_{a24} rk_live_{a24} sk_test_{a24}
whsec_{a32} sk-{a48} sk-proj-{w80} sk-ant-api03-{w93} hf_{a34} npm_{a36} pypi-AgEIcHlwaS5vcmc{w60} rubygems_{h48} dckr_pat_{w27}
oy2{l43} CLOJARS_{h60} SG.{w22}.{w43} key-{h32} xkeysib-{h64}-{a16} SK{h32} dop_v1_{h64} doo_v1_{h64} HRKU-{a36} fo1_{w43}
nfp_{a36} sbp_{h40} pscale_tkn_{w43} pscale_pw_{w43} shpat_{h32} shpss_{h32} sq0atp-{w22} sq0csp-{w43} EAAA{w60} aio_{a28}
ATATT3xFfGF0{w180} ATBB{a32} dapi{h32} NRAK-{u27} glsa_{a32}_{h8} glc_{a60} sntrys_{a80} sntryu_{h64} dt0c01.{u24}.{u64}
dp.pt.{a43} dp.st.prod.{a43} hvs.{w90} hvb.{w140} pul-{h40} lin_api_{a40} ntn_{a46} secret_{a43} PMAK-{h24}-{h34} pnu_{a36}
rdme_{l70} tfp_{w59} figd_{w40} EZAK{a54} AGE-SECRET-KEY-1{u58} bkua_{h40} squ_{h40} tskey-auth-{a16}-{a32} pplx-{a48} gsk_{a52}
r8_{a37} lsv2_pt_{h32}_{h10} pcsk_{w60} CFPAT-{w43} nvapi-{w60} phc_{a43} jina_{w60} {n9}:AA{w33} $2b$12${a53} {h32}-us14
sdk-{h8}-{h4}-4{h3}-8{h3}-{h12} access-sandbox-{h8}-{h4}-4{h3}-8{h3}-{h12} hooks.slack.com/services/T{u8}/B{u8}/{a24}
""".split()  # noqa: SIM905 - a table of templates
SENTENCES = (
    "{}", "using {} now", "key={}", "got '{}'", '{{"k": "{}"}}', "({})", "token {}.", "x,{},y", "[{}]", "https://h/?t={}&b=1",
    "header: {}", "line one\n{}\nline three", "<k>{}</k>", "`{}`", "failed for {}: 401", "{};", "é{}", "value:{}",
    r"a|{}|b", "\t{}\t",
)  # fmt: skip
GENERATOR = re.compile(r"\{([awhnul])(\d+)\}")


def _generate(template: str, dice: random.Random) -> str:
    return GENERATOR.sub(lambda m: "".join(dice.choices(ALPHABETS[m[1]], k=int(m[2]))), template)


def _leaked(secret: str, template: str, text: str) -> bool:
    """Whether 12 characters in a row, or 60 %, of the part drawn at random are still there."""
    start = GENERATOR.search(template)
    drawn = secret[start.start() if start else 0 :]
    width = min(12, max(int(len(drawn) * 0.6), 1))
    return any(drawn[at : at + width] in text for at in range(len(drawn) - width + 1))


def _leaks(redactor: Redactor) -> list[str]:
    dice = random.Random(7)
    found = []
    for template in FORMATS:
        for sentence in SENTENCES:
            secret = _generate(template, dice)
            if _leaked(secret, template, redactor.text(sentence.format(secret))):
                found.append(f"{template} in {sentence!r}")
    return found


def test_every_format_is_found_in_every_sentence(redactor: Redactor) -> None:
    """More than 80 formats, each generated afresh in 20 contexts, leave no part behind."""
    assert len(FORMATS) > 80
    assert _leaks(redactor) == []


def test_a_redactor_without_its_table_is_a_mutant_that_leaks(redactor: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above fails on a redactor that has lost its prefixes."""
    monkeypatch.setattr(rules, "_RULES", ())
    assert len(_leaks(redactor)) > 100


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn-feature-importance-list-2", "re_run_the_failed_migration_step_2", "task-12 of key-value-store-shard-003",
        "fw_update_scheduled_for_next_maintenance", "secret_version_set_by_service_principal", "monkey-patching everything",
        "hf_datasets_cache_directory_on_disk_0", "s.something.like.a.module.path.in.python", "disk-usage-percent-over-90",
    ],
)  # fmt: skip
def test_words_that_begin_like_a_token_stay(redactor: Redactor, text: str) -> None:
    """Prefixes that also begin ordinary words need a random tail."""
    assert redactor.text(text) == text
