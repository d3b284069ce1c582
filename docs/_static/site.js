// What the theme leaves out for those who read by ear or by keys.
document.addEventListener("DOMContentLoaded", () => {
  // Parts of the side bar that fold have a sign and no words.
  for (const summary of document.querySelectorAll("nav summary")) {
    const name = summary.closest("li")?.querySelector(":scope > a")?.textContent.trim();
    if (!summary.textContent.trim()) summary.setAttribute("aria-label", name ? `Pages of ${name}` : "Pages");
  }
  // The link over a picture of the gallery is there but not shown.
  for (const link of document.querySelectorAll(".sphx-glr-thumbcontainer a.reference")) {
    link.setAttribute("aria-label", link.textContent.trim());
  }
  // The list of modules has lists outside of its items.
  for (const list of document.querySelectorAll(".bd-article ul > ul")) {
    const item = document.createElement("li");
    item.style.listStyle = "none";
    list.replaceWith(item);
    item.append(list);
  }
  // Names break after their dots.
  for (const place of document.querySelectorAll("h1, dt.sig .sig-prename, .page-toc .pre")) {
    const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) if (/\w\.\w/.test(walker.currentNode.data)) texts.push(walker.currentNode);
    for (const text of texts) {
      const parts = text.data.split(/(?<=\w\.)(?=\w)/);
      text.replaceWith(...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
    }
  }
  // What scrolls by itself can be scrolled by keys.
  const reachable = () => {
    for (const part of document.querySelectorAll(".bd-article :is(table, math, pre, .panels, .pst-scrollable-table-container)")) {
      if (part.scrollWidth > part.clientWidth + 1) part.setAttribute("tabindex", "0");
    }
  };
  reachable();
  addEventListener("resize", reachable);
});
