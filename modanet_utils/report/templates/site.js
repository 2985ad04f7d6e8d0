"use strict";
// What a reader gains from a script; without it every page still reads from top to bottom.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The contents are a column where there is room, and folded where there is not.
  const contents = document.querySelector(".side details");
  const narrow = matchMedia("(max-width: 64rem)");
  const fold = () => { contents.open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();

  // The section that is being read is marked in the contents.
  const links = new Map(all(".pages ol a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const heads = all("main h2[id], main section[id]").filter((head) => links.has(head.id));
  const mark = () => {
    const read = heads.filter((head) => head.getBoundingClientRect().top < 160).pop();
    links.forEach((link, id) => link.classList.toggle("read", Boolean(read) && id === read.id));
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  // What scrolls sideways can be reached by keyboard.
  const reach = () => all(".wide, .output_area, .text_cell_render, pre, math").forEach((one) => {
    if (one.scrollWidth > one.clientWidth + 1) one.setAttribute("tabindex", "0");
    else one.removeAttribute("tabindex");
  });
  addEventListener("resize", reach);
  all("details").forEach((one) => one.addEventListener("toggle", reach));
  reach();

  // All code of a page at once.
  const code = document.querySelector("[data-code]");
  if (code) {
    code.hidden = false;
    code.addEventListener("click", () => {
      const open = code.textContent.startsWith("Show");
      all("details.code").forEach((one) => { one.open = open; });
      code.textContent = open ? "Hide all code" : "Show all code";
    });
  }

  // Tables are sorted by a click on a heading; undefined values stay at the end.
  const key = (row, column, kind) => {
    const cell = row.cells[column];
    if (kind === "text") return cell.textContent.trim();
    return cell.dataset.value ? Number(cell.dataset.value) : NaN;
  };
  all("table[data-sortable]").forEach((table) => all("th[data-sort]", table).forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const kind = head.dataset.sort;
    button.addEventListener("click", () => {
      const down = head.ariaSort ? head.ariaSort === "ascending" : kind === "number";
      all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.ariaSort = down ? "descending" : "ascending";
      const body = table.tBodies[0], way = down ? -1 : 1;
      const rows = [...body.rows].map((row) => [key(row, head.cellIndex, kind), row]);
      rows.sort(([a], [b]) => {
        if (kind === "text") return way * a.localeCompare(b);
        return Number.isNaN(a) - Number.isNaN(b) || way * (a - b) || 0;
      });
      body.append(...rows.map(([, row]) => row));
    });
  }));

  // Claims by verdict and notebook.
  const filter = document.querySelector("form.filter");
  if (filter) {
    filter.hidden = false;
    const rows = all("tr[data-verdict]");
    const choose = () => {
      const wanted = new Set(all("[name=verdict]:checked", filter).map((one) => one.value));
      const notebook = filter.elements.notebook.value;
      rows.forEach((row) => {
        row.hidden = !wanted.has(row.dataset.verdict) || (notebook && row.dataset.notebook !== notebook);
      });
      const shown = rows.filter((row) => !row.hidden).length;
      filter.querySelector("output").textContent = `${shown} of ${rows.length} claims`;
    };
    filter.addEventListener("change", choose);
    choose();
  }
})();
