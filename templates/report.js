"use strict";
(function () {
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", function () {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  function value(cell) {
    const text = cell.textContent.trim();
    if (text === "" || text === "\u2013") return null;
    if (cell.matches("th, .text")) return text;
    const size = Number(text.replace(/[^\d.e-]/g, ""));
    return text[0] === "\u2212" ? -size : text[0] === "<" ? size / 2 : size;
  }

  function nameOf(row) {
    const name = row.cells[0].firstElementChild; // a sum of other groups has none
    return (name && name.title) || row.cells[0].textContent;
  }

  function compare(a, b) {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b));
  }

  function sort(table, column, heading) {
    const descending = heading.getAttribute("aria-sort") !== "descending";
    const rows = Array.from(table.tBodies[0].rows, function (row) {
      return [value(row.cells[column]), row];
    });
    rows.sort(function (a, b) {
      const missing = a[0] === null || b[0] === null;
      return (descending && !missing ? -1 : 1) * compare(a[0], b[0]);
    });
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    for (const row of rows) table.tBodies[0].append(row[1]);
  }

  for (const table of document.querySelectorAll("table.groups")) {
    Array.from(table.tHead.rows[0].cells).forEach(function (heading, column) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", function () { sort(table, column, heading); });
      heading.append(button);
    });
    const tools = table.closest("section").querySelector(".tools");
    const search = tools.querySelector("[type=search]");
    const only = tools.querySelector("[type=checkbox]");
    const found = tools.querySelector(".found");
    const filter = function () {
      const wanted = search.value.toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const text = nameOf(row).toLowerCase();
        row.hidden = !text.includes(wanted) || (only.checked && !row.classList.contains("flagged"));
        shown += !row.hidden;
      }
      found.textContent = shown + " of " + table.tBodies[0].rows.length + " groups shown";
    };
    search.addEventListener("input", filter);
    only.addEventListener("change", filter);
    tools.hidden = false;
    filter();
  }

  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", function () {
      const code = button.parentElement.querySelector("code").textContent;
      navigator.clipboard.writeText(code).then(
        function () { button.textContent = "Copied"; },
        function () { button.textContent = "Not allowed"; });
    });
  }

  const opened = [];
  const unwrapped = [];
  addEventListener("beforeprint", function () {
    // Chromium leaves a repeated table heading empty where it holds a button.
    for (const button of document.querySelectorAll("th button")) {
      const heading = button.parentElement;
      heading.replaceChildren(...button.childNodes);
      unwrapped.push([heading, button]);
    }
    for (const details of document.querySelectorAll("details:not([open])")) {
      if (details.closest("figure")) continue; // a chart says enough on paper
      details.open = true;
      opened.push(details);
    }
  });
  addEventListener("afterprint", function () {
    for (const [heading, button] of unwrapped.splice(0)) {
      button.append(...heading.childNodes);
      heading.append(button);
    }
    for (const details of opened.splice(0)) details.open = false;
  });
})();
