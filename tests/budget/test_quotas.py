"""The file of quotas says what an org may have, and nothing that nobody enforces."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniplatform.control_plane.quotas import enforced_in
from obslib.budget import Quotas
from obslib.errors import SettingsError

MINI = Path(__file__).parents[2] / "examples" / "miniplatform" / "quotas.toml"
ENFORCED = ("max_envs", "max_routes")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "quotas.toml"


def test_a_quota_is_known_by_file_key_and_value(path: Path) -> None:
    """A budget can name what it relies on; what is not in the file is enforced nowhere."""
    path.write_text("[per_org]\nmax_envs = 100\nmax_routes = 0\n")
    quotas = Quotas.load(path, enforced=ENFORCED)
    assert quotas.per_org == {"max_envs": 100, "max_routes": 0}
    assert quotas.where("max_envs") == f"{path} per_org.max_envs = 100"
    assert quotas.where("max_instances") == Quotas().where("max_envs") == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "the quotas file '{path}' cannot be read: No such file or directory; name another"),
        ("[per_org", "the quotas file '{path}' is not valid TOML: "),
        ("", "the quotas file '{path}' must be one table [per_org], such as max_envs = 100, and nothing else"),
        ("[per_org]\n[x]\n", "the quotas file '{path}' must be one table [per_org], such as max_envs = 100, and nothing else"),
        ("per_org = 7\n", "the quotas file '{path}' must be one table [per_org], such as max_envs = 100, and nothing else"),
        ("[per_org]\nenvs = 1\n", "the quotas file '{path}' holds 'envs', which is no name of a quota; it begins with max_"),
        ("[per_org]\nmax_envs = nan\n", "the quotas file '{path}' says max_envs = nan; it must be a whole number from 0"),
        ("[per_org]\nmax_envs = true\n", "the quotas file '{path}' says max_envs = True; it must be a whole number from 0"),
        ("[per_org]\nmax_envs = -1\n", "the quotas file '{path}' says max_envs = -1; it must be a whole number from 0"),
        (f"[per_org]\nmax_envs = {10**30}\n", "the quotas file '{path}' says max_envs = 10000000"),
        ("[per_org]\nmax_envs = 1\n",
         "the quotas file '{path}' has no 'max_routes'; write down how many an org may have, nothing is assumed"),
        ("[per_org]\nmax_envs = 1\nmax_routes = 1\nmax_apps = 1\n",
         "the quotas file '{path}' holds 'max_apps', which nothing here enforces; leave it out, or budgets would rely on it"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_enforced_is_refused(path: Path, text: str | None, sentence: str) -> None:
    """One sentence with the file and the key."""
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Quotas.load(path, enforced=ENFORCED)
    assert str(caught.value).startswith(sentence.format(path=path))


def test_whoever_only_reads_takes_every_quota(path: Path) -> None:
    """The budget does not know what a control plane enforces; the control plane refuses what it does not."""
    path.write_text("[per_org]\nmax_apps = 1\n")
    assert Quotas.load(path).per_org == {"max_apps": 1}


def test_the_miniplatforms_quotas_are_those_its_control_plane_enforces() -> None:
    """The file that is shipped can be started with, and holds the figures of the platform (facts, section 21)."""
    assert enforced_in(MINI).per_org == {"max_apps": 20, "max_envs": 100, "max_routes": 50}
