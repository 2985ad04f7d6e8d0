"""The pages in a browser: a headless Chromium, and the accessibility rules of axe-core.

Where either is not there, what needs it is skipped and says so. `.ci/run` installs both.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser import CHROMIUM, Browser, browser
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from reporting import complete_results

from modanet_utils.project import ROOT
from modanet_utils.report.pages import write_pages
from modanet_utils.results.schema import read_results
from modanet_utils.results.text import on_real_photos
from modanet_utils.results.workspace import NOTEBOOKS

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here, so no page was looked at: install it, or name it in CHROMIUM"
)
AXE = Path(os.environ.get("AXE_CORE") or ROOT / "build" / "axe" / "package" / "axe.min.js")
needs_axe = pytest.mark.skipif(
    not AXE.is_file(), reason="no axe-core here, so accessibility was not checked: see .ci/run"
)
OWN = ("index.html", "claims.html", "trials.html", "labels.html")


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of the committed report, nothing executed."""
    folder, source = tmp_path_factory.mktemp("site"), ROOT / "reports" / "ccp"
    notebooks = {name: nbformat.read(source / f"{name}.ipynb", as_version=4) for name in NOTEBOOKS}
    write_pages(folder, notebooks, read_results(source / "results.json"))
    return folder


def loaded_from_elsewhere(tab: Browser, page: Path) -> list[str]:
    return [one for one in tab.requests if not one.startswith("data:") and one != page.resolve().as_uri()]


PICTURES = "[...document.querySelectorAll('main img, main svg')].filter(one => !one.closest('a > img, [aria-hidden]'))"


def violations(tab: Browser, *only: str) -> list[list[str]]:
    """What axe-core finds serious on the open page: rule and element. Only these rules, or all of WCAG A and AA."""
    what = {"type": "rule", "values": only} if only else {"type": "tag", "values": ["wcag2a", "wcag2aa"]}
    options = json.dumps({"runOnly": what, "resultTypes": ["violations"]})
    serious = "found.violations.filter(one => ['serious', 'critical'].includes(one.impact))"
    return tab.run(f"axe.run({options}).then(found => {serious}.map(one => [one.id, one.nodes[0].html]))")


@pytest.mark.parametrize("name", [*OWN, *(f"{name}.html" for name in NOTEBOOKS)])
def test_a_page_on_a_phone(tab: Browser, site: Path, name: str) -> None:
    tab.open(site / name, width=375, height=812)
    assert tab.complaints == [] and loaded_from_elsewhere(tab, site / name) == []
    assert tab.run("document.documentElement.scrollWidth") == 375  # nothing to be scrolled sideways
    unnamed = f"{PICTURES}.filter(one => !(one.alt || one.ariaLabel)).map(one => one.outerHTML.slice(0, 99))"
    assert tab.run(unnamed) == []
    assert tab.run("document.querySelector('.side details').open") is False
    if name not in OWN[1:]:  # the picture stands on the first screen
        assert tab.run(f"{PICTURES}[0].getBoundingClientRect().bottom") < 812


@needs_axe
@pytest.mark.parametrize("name", [*OWN, f"{NOTEBOOKS[1]}.html"])
def test_a_page_is_for_everybody(tab: Browser, site: Path, name: str) -> None:
    tab.open(site / name)
    tab.run(f"{AXE.read_text(encoding='utf-8')}; 1")
    assert violations(tab) == []
    tab.seen_as("dark")
    assert violations(tab, "color-contrast") == []  # colours are all that differs


@needs_axe
def test_axe_sees_what_is_wrong(tab: Browser, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><title>a</title><main><img src='data:,'><p style='color:#bbb'>pale</main>")
    tab.open(page)
    tab.run(f"{AXE.read_text(encoding='utf-8')}; 1")
    assert {"image-alt", "color-contrast"} <= {rule for rule, _ in violations(tab)}


def test_light_dark_print_and_folded_code(tab: Browser, site: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).reduce((sum, v) => sum + Number(v), 0)"
    tab.open(site / f"{NOTEBOOKS[1]}.html", scheme="dark")
    assert tab.run(ground) < 150 and tab.run(f"{PICTURES}.length") > 0
    tab.seen_as("light")
    assert tab.run(ground) > 700
    tab.seen_as("dark", media="print")
    assert tab.run(ground) == 765
    assert tab.run("getComputedStyle(document.querySelector('.side')).display") == "none"
    code = "document.querySelectorAll('details.code{}').length"
    assert tab.run(code.format("[open]")) == 0 < tab.run(code.format(""))
    tab.run("document.querySelector('[data-code]').click()")
    assert tab.run(code.format(":not([open])")) == 0


def test_claims_are_filtered_and_sorted(tab: Browser, site: Path) -> None:
    claims = read_results(ROOT / "reports" / "ccp" / "results.json")["claims"]
    tab.open(site / "claims.html")
    rows = "[...document.querySelectorAll('tr[data-verdict]')].filter(row => row.offsetParent)"
    assert tab.run(f"{rows}.length") == len(claims)
    tab.run("document.querySelector('[value=supported]').click()")
    left = [claim for claim in claims if claim["verdict"] != "supported"]
    assert 0 < tab.run(f"{rows}.length") == len(left) < len(claims)
    tab.run("document.querySelectorAll('th[data-sort=number] button')[0].click()")
    shown = tab.run(f"{rows}.map(row => row.querySelector('[data-value]').dataset.value)")
    values = [claim["value"] for claim in left if claim["value"] is not None]
    assert [float(value) for value in shown if value] == sorted(values, reverse=True)
    assert shown[len(values) :] == [""] * (len(left) - len(values))  # undefined ones stay at the end
    notebook = left[-1]["notebook"]
    choose = "document.querySelector('select').value = {!r}; document.querySelector('select').dispatchEvent({})"
    tab.run(choose.format(f"{notebook}.html", "new Event('change', {bubbles: true})"))
    assert tab.run(f"{rows}.length") == sum(claim["notebook"] == notebook for claim in left)


@pytest.mark.reliability("hostile names and outputs")
@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "<img src='data:,' onerror='alert(1)'>"])
def test_a_name_of_a_data_set_runs_nowhere(tab: Browser, tmp_path: Path, name: str) -> None:
    results: dict[str, Any] = complete_results()
    results["dataset"]["name"] = name
    told = {"text/markdown": on_real_photos(results), "text/plain": name}
    cells = [new_markdown_cell("# A"), new_code_cell("answer", outputs=[new_output("display_data", told)])]
    pages = write_pages(tmp_path, {NOTEBOOKS[1]: new_notebook(cells=cells)}, results)
    tab.call("Page.setBypassCSP", enabled=True)  # the policy would stop it, too: here the escaping is tested
    try:
        for page in pages:
            tab.open(tmp_path / page)
            assert tab.complaints == [], page
            assert name in tab.run("document.querySelector('main').innerText")
    finally:
        tab.call("Page.setBypassCSP", enabled=False)


def test_the_policy_stops_what_slips_through(tab: Browser, site: Path, tmp_path: Path) -> None:
    planted = "<img src='data:,' onerror='document.title = 1'><script>document.title = 2</script><main id"
    page = tmp_path / "page.html"
    page.write_text((site / "index.html").read_text(encoding="utf-8").replace("<main id", planted, 1))
    tab.open(page)
    assert tab.run("document.title") == "Clothing segmentation under class imbalance"
    assert len(tab.complaints) >= 2 and "Content Security Policy" in json.dumps(tab.complaints)
