// What the page does without asking its server: settings to an address and back, sliders beside typed values, pictures as files.
(function () {
  "use strict";
  const PAUSE = 350; // Milliseconds without a change after which slow answers are asked for, and the address is written.
  const LATER = 300; // Milliseconds until a typed value follows its slider where no answer comes before.
  const PATIENCE = 4000; // Without an answer for so long, the next question is asked.

  const last = {}; // The last value of each setting that could be used.
  const placed = {}; // Where sliders were put, or dragged to.
  let pending = {}; // Settings that were dragged, whose typed values follow.
  const spoken = {}; // What is said in each place.
  let entries = 0;
  let corrects = true; // Whether the address is only put in its usual form: then there is no new entry in the history.
  let busy = null;
  let held = null;
  let wished = null; // The last question, asked or held.
  let mirroring = null;
  let axes = null;
  let writing = null;
  let settling = null;
  let from = null; // The last time that settings came from elsewhere than their controls.

  const keep = () => window.dash_clientside.no_update;
  const tell = (id, data) => window.dash_clientside.set_props(id, { data });
  const trigger = () => {
    const triggered = window.dash_clientside.callback_context.triggered;
    return triggered.length ? triggered[0].prop_id.split(".")[0] : "";
  };

  window.addEventListener("popstate", () => {
    corrects = true;
    clearTimeout(writing);
    entries += 1;
    tell("address", { search: window.location.search, entry: entries });
  });

  function written(query) {
    clearTimeout(writing);
    const put = () => {
      const now = window.location.search.replace(/^\?/, "");
      const to = window.location.pathname + (query ? "?" + query : "");
      if (now !== query) window.history[corrects ? "replaceState" : "pushState"](null, "", to);
      corrects = false;
    };
    if (corrects) put();
    else writing = setTimeout(put, PAUSE);
  }

  // One question at a time: of those that come meanwhile, the last one.
  function asked(query) {
    wished = query;
    if (busy !== null) {
      held = query;
      return keep();
    }
    free();
    setTimeout(window.dash_clientside.simulate.moved, 0, query);
    return query;
  }
  function free() {
    clearTimeout(busy);
    busy = setTimeout(next, PATIENCE);
    held = null;
  }
  function next() {
    clearTimeout(busy);
    busy = null;
    if (held !== null) {
      const query = held;
      free();
      tell("state", query);
      window.dash_clientside.simulate.moved(query);
    }
  }

  function text(name, value, known) {
    const slider = known.sliders[name];
    if (!slider) return value === null || value === undefined ? known.defaults[name] : String(value);
    if (value === "" || value === null || value === undefined) {
      if (slider.optional) return "";
      return name in last ? last[name] : known.defaults[name];
    }
    let number = Number(value);
    if (!Number.isFinite(number)) return name in last ? last[name] : known.defaults[name];
    number = Math.min(Math.max(number, slider.low), slider.high);
    return String(slider.whole ? Math.round(number) : number);
  }

  // The value that a slider was dragged to is used at once, its typed value follows once the answer has come.
  function dragged(known, places) {
    const names = Object.keys(known.sliders).filter((name) => "step" in known.sliders[name]);
    names.forEach((name, i) => {
      const slider = known.sliders[name];
      const before = name in placed ? placed[name] : slider.at;
      if (places[i] === before || places[i] === null) return;
      placed[name] = places[i];
      pending[name] = value(places[i], slider);
      if (mirroring === null) mirroring = setTimeout(mirrored, LATER);
    });
  }
  function mirrored() {
    const now = pending;
    clearTimeout(mirroring);
    mirroring = null;
    pending = {};
    for (const name in now) window.dash_clientside.set_props(name, { value: now[name] });
  }

  // What is said beside the pictures comes after them, and only what is new: Dash passes each part through the whole page.
  function say(said) {
    for (const id in said) {
      const text = JSON.stringify(said[id]);
      if (spoken[id] === text) continue;
      spoken[id] = text;
      window.dash_clientside.set_props(id, said[id]);
    }
  }

  // Slow answers are asked for once nothing has changed for a while; the first ones at once.
  function settles(query) {
    clearTimeout(settling);
    if (settling === null) {
      settling = 0;
      return query;
    }
    settling = setTimeout(tell, PAUSE, "settled", query);
    return keep();
  }

  // Where a number is on its slider, and the number at a place.
  function place(number, slider) {
    if (!slider.log) return number;
    return number > 0 ? Math.log10(number) : slider.start;
  }

  function value(at, slider) {
    if (slider.zero && at < slider.first - slider.step / 2) return 0;
    const number = slider.log ? Math.pow(10, Math.max(at, slider.first)) : at;
    return slider.whole ? Math.round(number) : Number(number.toPrecision(3));
  }

  function wanted() {
    const chosen = window.localStorage.getItem("freshmix-scheme");
    if (chosen) return chosen;
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    explorer: {
      say,
      address() {
        // On a telephone the answer comes first, settings are unfolded by hand.
        if (window.matchMedia("(max-width: 760px)").matches)
          for (const part of document.querySelectorAll("details.part")) part.open = false;
        // What the address asks for is answered while the controls take it over.
        const query = window.location.search.replace(/^\?/, "");
        tell("state", asked(query));
        tell("settled", settles(query));
        return { search: window.location.search, entry: entries };
      },
      state(...given) {
        const known = given.pop();
        const moved = given.pop();
        const names = Object.keys(known.defaults);
        if (moved !== from) pending = {};
        from = moved;
        dragged(known, given.splice(names.length));
        const said = {};
        names.forEach((name, i) => {
          said[name] = text(name, name in pending ? pending[name] : given[i], known);
          const slider = known.sliders[name];
          if (slider && "step" in slider && said[name] !== "" && said[name] !== (last[name] || known.defaults[name])) {
            const at = place(Number(said[name]), slider);
            const before = name in placed ? placed[name] : slider.at;
            if (value(before, slider) !== Number(said[name])) {
              placed[name] = at;
              window.dash_clientside.set_props(name + "-slider", { value: at });
            }
          }
          last[name] = said[name];
        });
        const parts = names
          .filter((name) => said[name] !== known.defaults[name])
          .map((name) => name + "=" + encodeURIComponent(said[name]).replace(/%2C/g, ","));
        const query = parts.join("&");
        const now = [said.model, said.table === "", said.covariates, said.labelled === "1", said.kept_generations === "0"].join();
        const turned = now !== (axes || [known.defaults.model, true, known.defaults.covariates, true, true].join());
        axes = now;
        written(query);
        const axis = turned ? query : keep();
        return query === wished ? [keep(), axis, keep()] : [asked(query), axis, settles(query)];
      },
      answered(answer) {
        next();
        setTimeout(() => {
          mirrored();
          say(answer.said);
        });
        return window.dash_clientside.simulate.drawn(answer.query);
      },
      scheme(clicks) {
        let scheme = wanted();
        if (clicks) {
          scheme = scheme === "dark" ? "light" : "dark";
          window.localStorage.setItem("freshmix-scheme", scheme);
        }
        return [scheme, scheme];
      },
      image() {
        const [name, format] = trigger().split("-");
        const graph = document.querySelector("#" + name + "-graph .js-plotly-plot");
        if (graph && window.Plotly) {
          const size = { width: 1000, height: 700, scale: format === "png" ? 2 : 1 };
          window.Plotly.downloadImage(graph, { format, filename: "freshmix-" + name, ...size });
        }
      },
    },
  });
})();
