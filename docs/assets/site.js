// A wide table is scrolled by keyboard too.
addEventListener("load", () => {
  for (const one of document.querySelectorAll(".md-typeset__scrollwrap")) one.tabIndex = 0;
});
