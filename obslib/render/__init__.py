"""The workshop's press: what follows from the catalog, as files. It reads declarations and nothing else.

Rendering twice gives the same bytes: nothing depends on time, order of a set or the machine.
"""

from obslib.render.grafana import grafana
from obslib.render.pages import fill, names_in
from obslib.render.rules import rule_file
from obslib.render.runbooks import missing_sections
from obslib.render.scrape import scrape_config
from obslib.render.tables import SettingRow, tables

__all__ = ["SettingRow", "fill", "grafana", "missing_sections", "names_in", "rule_file", "scrape_config", "tables"]
