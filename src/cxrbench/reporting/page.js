"use strict";
// What the page can do beyond reading: its tables sort, rows that belong together light up, and print shows everything.
(() => {
  const collator = new Intl.Collator(document.documentElement.lang);
  // '−1.2 [−2 to 1]', '< 0.001', '1,250 / 1,800', '96.13 ± 0.21' and '12 %' count by their first number.
  const NUMBER = /^[^\p{L}\d+-]*([+-]?\d*\.?\d+(?:e[+-]?\d+)?)/u;

  const shown = (cell) => {
    const copy = cell.cloneNode(true);
    for (const aside of copy.querySelectorAll(".small, .sign, svg")) aside.remove();
    return copy.textContent.trim();
  };
  const keyOf = (cell) => {
    const text = cell.dataset.sort ?? shown(cell);
    const plain = text.replace(/[−–](?=[\d.])/g, "-").replace(/,(?=\d{3})/g, "");
    const found = NUMBER.exec(plain);
    const below = plain.startsWith("<") ? 1e-12 : 0;
    return { text, number: found ? Number(found[1]) - below : null, empty: text === "" || text === "–" };
  };

  // Text goes by the alphabet, and numbers in it by their value: batch_size=8, batch_size=16; lr=0.01, lr=0.1.
  const compareTexts = (a, b) => {
    const [ones, others] = [a, b].map((text) => text.split(/(\d+(?:\.\d+)?)/));
    for (let i = 0; i < Math.min(ones.length, others.length); i += 1) {
      const order = i % 2 ? Number(ones[i]) - Number(others[i]) : collator.compare(ones[i], others[i]);
      if (order) return order;
    }
    return ones.length - others.length;
  };

  const sortable = (table) =>
    !table.matches(".confusion") && table.tHead?.rows.length === 1 && table.tBodies.length === 1 && table.tBodies[0].rows.length > 1 &&
    !table.querySelector('[colspan]:not([colspan="1"]), [rowspan]:not([rowspan="1"])');

  const order = (rows, column, direction) => {
    const keys = new Map(rows.map((row) => [row, keyOf(row.cells[column])]));
    const filled = rows.filter((row) => !keys.get(row).empty);
    const numeric = filled.every((row) => keys.get(row).number !== null);
    const compare = numeric
      ? (a, b) => keys.get(a).number - keys.get(b).number
      : (a, b) => compareTexts(keys.get(a).text, keys.get(b).text);
    return [...filled.sort((a, b) => direction * compare(a, b)), ...rows.filter((row) => keys.get(row).empty)];
  };

  for (const table of document.querySelectorAll("table")) {
    if (!sortable(table)) continue;
    const body = table.tBodies[0];
    const asWritten = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { null: "ascending", ascending: "descending", descending: null }[head.getAttribute("aria-sort")];
        for (const one of heads) one.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next);
        body.append(...(next ? order([...asWritten], column, next === "ascending" ? 1 : -1) : asWritten));
      });
    });
  }

  const groups = new Map();
  const join = (key, element) => {
    element.dataset.lit = key;
    groups.set(key, [...(groups.get(key) ?? []), element]);
  };
  for (const row of document.querySelectorAll("tr[data-study]")) join(`#study-${row.dataset.study}`, row);
  for (const link of document.querySelectorAll("nav a")) {
    if (groups.has(link.getAttribute("href"))) join(link.getAttribute("href"), link);
  }
  for (const section of document.querySelectorAll('section[id^="study-"]')) {
    for (const row of section.querySelectorAll("table.results tbody tr")) {
      join(`${section.id} ${shown(row.cells[0])}`, row);
    }
    for (const item of section.querySelectorAll(".legend li")) join(`${section.id} ${shown(item)}`, item);
  }
  let lit = null;
  const light = (event) => {
    const key = event.target.closest?.("[data-lit]")?.dataset.lit ?? null;
    if (key === lit) return;
    for (const element of groups.get(lit) ?? []) element.classList.remove("lit");
    for (const element of groups.get(key) ?? []) element.classList.add("lit");
    lit = key;
  };
  document.addEventListener("pointerover", light);
  document.addEventListener("focusin", light);

  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target?.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter((one) => !one.closest(".charts"));
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
})();
