// A simulation goes on as long as its loop is on the screen: each batch is asked for once the one before has come.
(function () {
  "use strict";
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const keep = () => window.dash_clientside.no_update;
  // Which picture is chosen changes nothing in the loop.
  const loop = (query) => (query || "").replace(/(^|&)picture=[^&]*/, "");
  let number = 0; // Of the simulation that goes on.
  let going = false;
  let done = null; // What there is of it.
  let query = "";

  function ended() {
    going = false;
    set("run-stop", { disabled: true });
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    simulate: {
      start(clicks, state, rows, replicates) {
        number += 1;
        going = true;
        done = null;
        query = state;
        return [{ number, query, rows, replicates, runs: [] }, false];
      },
      stop() {
        ended();
        return [done ? done.said : "", true];
      },
      moved(state) {
        if (loop(state) === loop(query)) return;
        query = state;
        if (!going && !done) return;
        number += 1;
        done = null;
        ended();
        set("run-said", { children: "" });
      },
      // The picture was drawn again without the points.
      drawn(state) {
        const same = done && loop(state) === loop(done.query);
        return same ? { ...done, query: state, picture: null, again: Date.now() } : keep();
      },
      onwards(runs) {
        if (!runs || runs.number !== number) return;
        if (runs.refused) {
          ended();
          set("run-said", { children: runs.refused });
          return;
        }
        done = runs;
        set("risk_by_generation-graph", { figure: runs.picture });
        set("run-said", { children: runs.said });
        window.dash_clientside.explorer.say({ code: { children: runs.code }, copy: { value: runs.code } });
        if (runs.runs.length >= runs.replicates) ended();
        else if (going) set("run", { data: { ...runs, picture: null } });
      },
    },
  });
})();
