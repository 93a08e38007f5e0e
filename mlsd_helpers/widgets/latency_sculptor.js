// A latency curve with a tail to drag. Python computes and words everything; this file moves and draws it.

const WIDE = 680, HIGH = 320, LEFT = 62, RIGHT = 18, TOP = 40, FOOT = 44;
const MOST = 0.2, LEAST = 0.00005;

const inPercent = (share) => `${digits(100 * share)}%`;
const SCALES = {
  slow_share: logarithmic(LEAST, MOST, 20),
  slow_s: logarithmic(0.01, 5, 40),
  ordinary_s: logarithmic(0.002, 0.2, 20),
  calls: linear(1, 100, 1),
  promise_s: logarithmic(0.01, 2, 20),
};
const SLIDERS = [
  ["slow_share", "Tail: share of slow requests", SCALES.slow_share, inPercent],
  ["slow_s", "Tail: time of slow requests", SCALES.slow_s, showSeconds],
  ["ordinary_s", "Time of ordinary requests", SCALES.ordinary_s, showSeconds],
  ["calls", "Calls that a page waits for", SCALES.calls, String],
  ["promise_s", "Promise", SCALES.promise_s, showSeconds],
];

// Both axes are logarithmic: a tenfold is the same distance everywhere.
function scales([from, to, least]) {
  const decades = Math.log10(to / from), levels = Math.log10(1 / least);
  return {
    x: (time) => LEFT + (Math.log10(time / from) / decades) * (WIDE - LEFT - RIGHT),
    y: (share) => TOP + (Math.log10(1 / share) / levels) * (HIGH - FOOT - TOP),
    time: (x) => from * 10 ** (((x - LEFT) / (WIDE - LEFT - RIGHT)) * decades),
    share: (y) => 10 ** (-((y - TOP) / (HIGH - FOOT - TOP)) * levels),
  };
}

// The powers of ten within a span.
function tenfold(low, high) {
  const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

function axes({ span: [from, to, least] }, { x, y }) {
  const floor = HIGH - FOOT;
  return [
    ...tenfold(least, 1).flatMap((share) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(share), y2: y(share) }),
      words(inPercent(share), LEFT - 8, y(share) + 4, { "text-anchor": "end" }),
    ]),
    ...tenfold(from, to).flatMap((time) => [
      svg("line", { class: "grid", x1: x(time), x2: x(time), y1: TOP, y2: floor }),
      words(showSeconds(time), x(time), floor + 18, { "text-anchor": "middle" }),
    ]),
    svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: floor, y2: floor }),
    words("share of requests that are slower", 4, 14, { class: "quiet" }),
    words("time", (LEFT + WIDE - RIGHT) / 2, HIGH - 6, { "text-anchor": "middle", class: "quiet" }),
  ];
}

const square = (x, y) => svg("rect", { class: "rule-shape", x: x - 6, y: y - 6, width: 12, height: 12 });
const disc = (x, y) => svg("circle", { class: "exact-shape", cx: x, cy: y, r: 5 });
const diamond = (x, y) => svg("path", { class: "other-shape", d: `M${x - 6} ${y}l6 -6l6 6l-6 6z` });
const SHAPES = { p50: ["other", diamond], mean: ["rule", square], p99: ["exact", disc], page: ["exact", disc] };

// The mean's words stand below its mark, where no curve is; the others' beside theirs, where there is room.
function mark({ kind, time_s, slower, label }, { x, y }) {
  const [style, shape] = SHAPES[kind];
  const left = kind === "p50" || kind === "mean" || x(time_s) > WIDE - 190;
  const [dx, dy] = kind === "mean" ? [8, 21] : [left ? -11 : 11, 4];
  return [
    shape(x(time_s), y(slower)),
    words(label, x(time_s) + dx, y(slower) + dy, { class: `${style}-text halo`, "text-anchor": left ? "end" : "start" }),
  ];
}

function lines(shown, { x, y }) {
  const least = shown.span[2];
  const beyond = shown.curve.findIndex(([, share]) => share < least); // one point more ends the curve on the floor
  const seen = beyond < 0 ? shown.curve : shown.curve.slice(0, beyond + 1);
  const points = seen.map(([time, share]) => `${x(time)},${y(Math.max(share, least))}`);
  const at = x(shown.promise.time_s);
  return [
    svg("line", { class: "budget", x1: at, x2: at, y1: TOP - 10, y2: HIGH - FOOT }),
    words(shown.promise.label, at, TOP - 15, { class: "quiet halo", "text-anchor": "middle" }),
    svg("polyline", { class: "curve", points: points.join(" ") }),
  ];
}

// Where a pointer is in the plot's own units.
function within(plot, event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
  return [at.x, at.y];
}

// Drag the corner of the tail: sideways the slow time, up and down the share of slow requests, in a slider's steps.
function grip(plot, model, move) {
  const node = svg("circle", { class: "handle", r: 9 });
  const put = (trait, value) => {
    const { value: at, position, last } = SCALES[trait];
    const snapped = at(Math.max(0, Math.min(last, position(value))));
    if (model.get(trait) !== snapped) move(trait, snapped);
  };
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!node.hasPointerCapture(event.pointerId)) return;
    const { time, share } = scales(model.get("shown").span);
    const [x, y] = within(plot, event);
    put("slow_s", time(x));
    put("slow_share", share(y));
  });
  return node;
}

function draw(plot, handle, shown) {
  const scale = scales(shown.span);
  const [time, share] = shown.handle;
  handle.setAttribute("cx", scale.x(time));
  handle.setAttribute("cy", scale.y(share));
  plot.setAttribute("aria-label", shown.alt);
  const drawn = [...axes(shown, scale), ...lines(shown, scale), ...shown.marks.flatMap((one) => mark(one, scale))];
  for (const node of [...plot.childNodes]) if (node !== handle) node.remove();
  plot.prepend(...drawn); // the handle stays on the page, or its drag would end
  if (!handle.isConnected) plot.append(handle);
}

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move);
  const sum = h("p", { class: "mlsd-formula" });
  const rows = h("table", { class: "mlsd-table" });
  const verdict = h("p", { class: "mlsd-headline" });
  const plot = svg("svg", { class: "mlsd-plot", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}` });
  const handle = grip(plot, model, move);
  const key = h("p", { class: "mlsd-note" },
    "Drag the ring to shape the tail, or use the first two sliders. A percentile is where the curve meets its level: p99 at 1%.");
  const note = h("p", { class: "mlsd-note" });
  const knobs = h("div", { class: "mlsd-controls" }, ...controls.map((c) => c.node));

  return explorable({ model, el }, {
    kind: "sculptor", title: "Latency sculptor", controls, move, parts: [plot, key, knobs, sum, rows, verdict, note],
    show: (shown) => {
      sum.textContent = shown.sum;
      setTable(rows, shown.table);
      note.textContent = shown.note;
      verdict.textContent = shown.verdict;
      draw(plot, handle, shown);
    },
  });
}

export default { render };
