"""A project's configuration is found, understood, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from obslib.errors import UsageError
from obslib.lint.configuration import Configuration

WHOLE = """
[tool.obslib.lint]
paths = ["src", "tools"]
exclude = ["src/vendored"]
select = ["OBS"]
ignore = ["OBS204"]
components = ["src/billing"]
src = ["src"]

[tool.obslib.lint.per-path-ignores]
"tests/**" = ["print"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with every key, whose folders exist; the working directory is somewhere else."""
    for folder in ("src/billing/deep", "tools", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(WHOLE)
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def test_the_nearest_table_counts(project: Path) -> None:
    """Above what is linted; a pyproject.toml without the table is passed by, which that of a distribution may well be."""
    (project / "src" / "billing" / "pyproject.toml").write_text("[project]\nname = 'billing'\n")
    found = Configuration.near([project / "src" / "billing" / "deep", project / "src" / "billing" / "a.py"])
    assert found == Configuration(
        root=project,
        file=project / "pyproject.toml",
        paths=("src", "tools"),
        exclude=("src/vendored",),
        select=("OBS",),
        ignore=("OBS204",),
        components=("src/billing",),
        src=("src",),
        per_path_ignores={"tests/**": ("print",)},
    )
    assert found.start_of_imports() == (project / "src",)
    assert Configuration.near([]) == found
    assert Configuration.load(Path("..") / "pyproject.toml").root == project


def test_without_a_table_the_nearest_project_is_the_root(tmp_path: Path) -> None:
    """Nothing has to be configured; imports start in the root, and in src where there is one."""
    (tmp_path / "src").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    found = Configuration.near([tmp_path / "src"])
    assert found == Configuration(root=tmp_path)
    assert found.start_of_imports() == (tmp_path, tmp_path / "src")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("[tool.obslib.lint]\nexlude = []",
         "[tool.obslib.lint] in {} has a key 'exlude' that means nothing; did you mean 'exclude'?"),
        ("[tool.obslib.lint]\nper_path_ignores = {}",
         "[tool.obslib.lint] in {} has a key 'per_path_ignores' that means nothing; did you mean 'per-path-ignores'?"),
        ("[tool.obslib.lint]\nzzz = 1",
         "[tool.obslib.lint] in {} has a key 'zzz' that means nothing; there are paths, exclude, select, ignore, components, "
         "src, per-path-ignores"),
        ("[tool.obslib.lint]\nexclude = 'a'", "'exclude' in {} is 'a'; it must be a list of texts, none of them empty"),
        ("[tool.obslib.lint]\nignore = [1]", "'ignore' in {} is [1]; it must be a list of texts, none of them empty"),
        ("[tool.obslib.lint]\nselect = [' ']", "'select' in {} is [' ']; it must be a list of texts, none of them empty"),
        ("[tool.obslib.lint]\nper-path-ignores = []", "'per-path-ignores' in {} is []; it must be a table of patterns"),
        ("[tool.obslib.lint.per-path-ignores]\na = 'OBS1'",
         "'per-path-ignores.a' in {} is 'OBS1'; it must be a list of texts, none of them empty"),
        ("[tool.obslib.lint]\npaths = ['nope']", "'paths' in {} names 'nope', which is not there; delete it, or spell it anew"),
        ("[tool.obslib.lint]\nsrc = ['nope']", "'src' in {} names 'nope', which is not there; delete it, or spell it anew"),
        ("[tool.obslib]\nlint = 3", "'tool.obslib.lint' in {} is 3; it must be a table"),
        ("tool = 3", "'tool' in {} is 3; it must be a table"),
        ("[tool", "{} is not valid TOML: Expected ']' at the end of a table declaration (at end of document)"),
        ("x = " + "[" * 9000, "{} is not valid TOML: it is nested too deeply"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_names_file_and_key(table: str, sentence: str, tmp_path: Path) -> None:
    """With what was meant, where that can be guessed."""
    file = tmp_path / "pyproject.toml"
    file.write_text(table)
    with pytest.raises(UsageError) as refused:
        Configuration.near([tmp_path])
    assert str(refused.value) == sentence.format(repr(str(file)))


def test_a_file_that_was_named_must_hold_the_table(tmp_path: Path) -> None:
    """Neither a missing file, a folder nor one without the table is taken for an empty configuration."""
    file = tmp_path / "pyproject.toml"
    with pytest.raises(UsageError, match="cannot be read: No such file or directory; name another with --config"):
        Configuration.load(file)
    with pytest.raises(UsageError, match="cannot be read: Is a directory; name another with --config"):
        Configuration.load(tmp_path)
    file.write_text("[project]\n")
    with pytest.raises(UsageError, match=r"has no table \[tool.obslib.lint\]; write one, or leave out --config"):
        Configuration.load(file)
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="is not valid TOML: 'utf-8' codec can't decode byte 0xff"):
        Configuration.load(file)
