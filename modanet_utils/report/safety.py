"""What a page would load or run when it is opened: nothing, but for the site's own script."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

# Attributes whose address is loaded at once; a link's is only followed.
_LOADING = ("src", "srcset", "href", "xlink:href", "data", "poster", "background")
_FRAMES = ("iframe", "frame", "object", "embed", "portal")
_IN_STYLE = re.compile(r"""(?:url\(|@import(?!\s*url\())\s*["']?([^"')\s;]+)""", re.IGNORECASE)
_IN_SCRIPT = re.compile(r"""["'`]\s*((?:https?:|wss?:)?//[^"'`\s]+)""", re.IGNORECASE)


def part(name: str) -> str:
    """A file of templates/ that stands in every page as it is: site.js, style.css."""
    return (files("modanet_utils.report") / "templates" / name).read_text(encoding="utf-8")


def policy() -> str:
    """The pages' content security policy: a browser that heeds it loads nothing, and runs only site.js."""
    digest = base64.b64encode(hashlib.sha256(part("site.js").encode()).digest()).decode()
    own = f"style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return f"default-src 'none'; img-src data:; {own}; base-uri 'none'; form-action 'none'"


class Inspector(HTMLParser):
    """What a page loads or runs.

    Attributes:
        addresses: What a browser would load to show it; links are not meant.
        run: What it would run beside the site's own script: scripts, frames, handlers of events, links that run.

    >>> page = Inspector('<script src="//cdn.example/x.js"></script> <a href="https://example.org">paper</a>')
    >>> page.addresses, page.run
    (['//cdn.example/x.js'], ['<script>'])
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.run: list[str] = []
        self._inside = self._text = ""
        self.feed(page)
        self.close()
        self.handle_endtag("")  # of an element that is not closed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside, self._text = tag, ""
        given = {name: value or "" for name, value in attrs}
        loads = [given.get(name, "") for name in _LOADING if tag not in ("a", "area") or "href" not in name]
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            loads.append(given.get("content", "").partition("=")[2] or "a refresh")
        self._load(loads + _IN_STYLE.findall(given.get("style", "")))
        links = [re.sub(r"[\x00-\x20]", "", given.get(name, "")).lower() for name in ("href", "xlink:href")]
        self.run += [f"a link of <{tag}>" for link in links if re.match("javascript:|vbscript:|data:text", link)]
        if tag in _FRAMES or (tag == "script" and "src" in given):
            self.run.append(f"<{tag}>")
        self.run += [f"{name} of <{tag}>" for name in given if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self._text += data  # it comes in pieces

    def handle_endtag(self, tag: str) -> None:
        if self._inside == "style":
            self._load(_IN_STYLE.findall(self._text))
        if self._inside == "script" and self._text.strip() and self._text != part("site.js"):
            self._load(_IN_SCRIPT.findall(self._text))
            self.run.append(f"a script ({' '.join(self._text.split())[:40]})")
        self._inside = self._text = ""

    def _load(self, addresses: list[str]) -> None:
        """Note what is not part of the page itself."""
        found = (one.strip() for one in addresses)
        self.addresses += [one for one in found if one and not re.match("#|data:", one, re.IGNORECASE)]
