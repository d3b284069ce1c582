// A table that is dropped: one that is too large is refused before it is read, and a table that is forgotten is nowhere.
(function () {
  "use strict";
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const HIDDEN = { display: "none" };
  let limits = null;

  function notice(text) {
    return { namespace: "dash_html_components", type: "P", props: { children: text, className: "notice" } };
  }

  // Before the component sees it: a file of gigabytes would be read into the page otherwise.
  function checked(event) {
    const inside = event.target instanceof Element && event.target.closest("#file");
    const files = event.type === "drop" ? event.dataTransfer && event.dataTransfer.files : event.target.files;
    if (!inside || !limits || !files || !files.length || files[0].size <= limits.most) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const size = (Math.ceil(files[0].size / 1e5) / 10).toLocaleString("en");
    const said = limits.said.replace("{size}", size).replace("{name}", () => files[0].name.slice(-80));
    set("file-said", { children: notice(said) });
    set("file-menus", { style: HIDDEN });
    if (event.type === "change") event.target.value = "";
  }
  document.addEventListener("drop", checked, true);
  document.addEventListener("change", checked, true);

  // The component's own input is not seen, but is read aloud, and has no name of its own.
  function named(label) {
    const input = document.querySelector("#file input[type=file]");
    if (input) input.setAttribute("aria-label", label);
    return input !== null;
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    table: {
      bounded(data) {
        limits = data;
        const watcher = new MutationObserver(() => named(data.label) && watcher.disconnect());
        if (!named(data.label)) watcher.observe(document.body, { childList: true, subtree: true });
      },
      forgotten() {
        return [null, null, [], HIDDEN, [], HIDDEN];
      },
    },
  });
})();
