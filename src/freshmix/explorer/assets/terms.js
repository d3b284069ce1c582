// What a term means, beside it while it is pointed at, touched or reached by the keyboard. A library's tooltip around each of
// fifty terms made every move of a slider wait: Dash asks each of them about every change of the page.
(function () {
  "use strict";
  const MARGIN = 8; // Pixels to the edge of the window, and to the term.
  let box = null;
  let shown = null;

  function show(term) {
    if (shown === term) return;
    hide();
    if (!box) {
      box = document.createElement("div");
      box.id = "meaning";
      box.setAttribute("role", "tooltip");
      document.body.append(box);
    }
    box.textContent = term.dataset.meaning;
    box.hidden = false;
    term.setAttribute("aria-describedby", box.id);
    shown = term;
    const at = term.getBoundingClientRect();
    const left = Math.min(at.left, window.innerWidth - box.offsetWidth - MARGIN);
    const above = at.top - box.offsetHeight - MARGIN;
    box.style.left = Math.max(left, MARGIN) + "px";
    box.style.top = (above >= MARGIN ? above : at.bottom + MARGIN) + "px";
  }

  function hide() {
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    box.hidden = true;
    shown = null;
  }

  const over = (event) => {
    const term = event.target.closest && event.target.closest("[data-meaning]");
    if (term) show(term);
    else if (event.target.id !== "meaning") hide();
  };
  for (const name of ["pointerover", "focusin", "click"]) document.addEventListener(name, over);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", hide, true);
})();
