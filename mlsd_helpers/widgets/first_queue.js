// The first queue: requests sent by hand and then at a rate, at one replica. The event loop runs here, in the page.

const MOST_DISCS = 60; // more than that are told as a number

// One replica and its queue. `run(until)` handles all events up to a time in seconds, in their order.
function eventLoop(service_s, gaps) {
  const loop = { now: 0, queue: [], since: null, answered: 0, rate: 0, sent: 0, lastWait: null, counted: null };
  let next = Infinity, at = 0;
  const start = (arrived) => {
    loop.since = loop.now;
    loop.lastWait = loop.now - arrived;
    loop.counted.waits.push(loop.lastWait);
  };
  const arrive = () => {
    loop.sent += 1;
    if (loop.since === null) start(loop.now);
    else loop.queue.push([loop.sent, loop.now]);
  };
  const plan = () => {
    next = loop.rate > 0 ? loop.now + gaps[at++ % gaps.length] / loop.rate : Infinity;
  };
  const pass = (until) => {
    if (loop.since !== null) loop.counted.busy += until - loop.now;
    loop.counted.passed += until - loop.now;
    loop.now = until;
  };
  loop.count = () => (loop.counted = { busy: 0, passed: 0, waits: [] });
  loop.count();
  loop.send = arrive;
  loop.setRate = (rate) => {
    loop.rate = rate;
    at = 0; // each rate plays the recording from its start
    loop.count();
    plan();
  };
  loop.run = (until) => {
    for (;;) {
      const done = loop.since === null ? Infinity : loop.since + service_s;
      const first = Math.min(done, next);
      if (first > until) break;
      pass(first);
      if (done <= next) {
        loop.answered += 1;
        loop.since = null;
        const waiting = loop.queue.shift();
        if (waiting) start(waiting[1]);
      } else {
        arrive();
        plan();
      }
    }
    pass(until);
  };
  return loop;
}

function render({ model, el }) {
  const service_s = model.get("service_s"), most = 1 / service_s;
  const loop = eventLoop(service_s, model.get("gaps"));
  const tried = new Map(); // by rate: what was measured while it held
  const clock = () => performance.now() / 1000;
  let shift = clock(), offered = false;

  const send = button("Send a request", () => {
    loop.run(clock() - shift);
    loop.send();
    show();
  });
  const scale = linear(0, 1.25 * most, 0.05 * most);
  const rate = slider({
    name: "Others send, at random", scale, format: (v) => (v ? `${digits(v)} requests/s on average` : "nobody else"),
    onMove: (value) => {
      loop.run(clock() - shift);
      loop.setRate(value);
      show();
    },
  });
  const minute = button("Skip a minute", () => {
    shift -= 60;
    loop.run(clock() - shift);
    show();
  });
  const empty = button("Empty the queue", () => {
    loop.queue.length = 0;
    loop.count();
    show();
  });
  const waiting = h("div", { class: "mlsd-waiting", "aria-hidden": "true" });
  const progress = h("div", { class: "mlsd-progress" });
  const state = h("p");
  const replica = h("div", { class: "mlsd-replica", "aria-hidden": "true" }, state, progress);
  const answered = h("div", { class: "mlsd-answered", "aria-hidden": "true" });
  const said = h("p", { class: "mlsd-said" });
  const speech = liveRegion({ class: "mlsd-screen-reader" });
  const announce = debounced(speech);
  const task = h("p");
  const table = h("table", { class: "mlsd-table" });
  const more = h("div", {}, rate.node, h("div", { class: "mlsd-row" }, minute, empty), table);
  const formula = h("p", { class: "mlsd-formula" });
  el.append(box(
    "first", h("p", { class: "mlsd-kind" }, "You are the load"), task, h("div", { class: "mlsd-row" }, send),
    h("div", { class: "mlsd-line" }, waiting, replica, answered), said, more, formula, speech,
  ));
  rate.show(0);

  function tell() {
    if (!offered) {
      return `One replica takes ${showSeconds(service_s)} for each request. Send one, and see it served. Then send `
        + `several as fast as you can (by Enter, if you like).`;
    }
    return `Now others send too. Turn the rate up, and let each rate run for a minute. At which rate does a queue `
      + "appear, and from which on does it only grow?";
  }

  function rows() {
    if (loop.rate > 0 && loop.counted.passed >= 5) {
      const { busy, passed, waits } = loop.counted;
      const mean = waits.length ? waits.reduce((a, b) => a + b, 0) / waits.length : null;
      tried.set(loop.rate, [
        `${digits(loop.rate)}/s`, digits(loop.rate * service_s), `${Math.round((100 * busy) / passed)}%`, mean === null ? "–" : showSeconds(mean),
        String(loop.queue.length), `${Math.round(passed)} s`,
      ]);
    }
    return [...tried].sort(([a], [b]) => a - b).map(([, row]) => row);
  }

  function show() {
    const wait = loop.queue.length, busy = loop.since !== null;
    if (loop.answered >= model.get("alone")) offered = true;
    if (task.textContent !== tell()) task.textContent = tell();
    more.hidden = !offered;
    const shown = Math.min(wait, MOST_DISCS);
    while (waiting.childElementCount > shown) waiting.lastElementChild.remove();
    while (waiting.childElementCount < shown) waiting.append(h("span", { class: "mlsd-disc" }));
    [...waiting.children].forEach((disc, i) => (disc.textContent = String(loop.queue[i][0] % 1000)));
    state.textContent = busy ? "serves" : "idle";
    replica.classList.toggle("mlsd-at-work", busy);
    progress.style.width = busy ? `${Math.round(100 * Math.min(1, (loop.now - loop.since) / service_s))}%` : "0";
    answered.textContent = `${loop.answered} answered`;
    const last = loop.lastWait === null ? "" : ` The latest to be served waited ${showSeconds(loop.lastWait)}.`;
    const words = `${wait} ${wait === 1 ? "waits" : "wait"}, ${busy ? "one is served" : "the replica is idle"}, `
      + `${loop.answered} answered.${last}`;
    if (said.textContent !== words) {
      said.textContent = words;
      if (!loop.rate) announce(words);
    }
    if (offered) {
      const found = rows();
      table.hidden = found.length === 0;
      setTable(table, { columns: ["rate", "rate × time", "busy so far", "mean wait", "wait now", "over"], rows: found });
      formula.hidden = found.length < 2;
      const asked = loop.rate || most / 2, load = asked * service_s;
      formula.textContent = `rate × time = ${digits(asked)}/s × ${digits(service_s)} s = ${digits(load)}: `
        + (load > 1 ? "more than one replica can do" : `one replica is busy ${Math.round(100 * load)}% of the time`);
    }
  }
  [more.hidden, formula.hidden] = [true, true];
  show();
  const timer = setInterval(() => {
    if (!loop.rate && loop.since === null) {
      loop.run(clock() - shift); // nothing moves: leave the page as it is
      return;
    }
    loop.run(clock() - shift);
    show();
  }, 100);
  return () => clearInterval(timer);
}

export default { render };
