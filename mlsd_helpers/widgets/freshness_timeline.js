// The age of a feature over time. Python computes and words everything; this file moves and draws it.

const WIDE = 680, HIGH = 290, LEFT = 62, RIGHT = 70, TOP = 40, FOOT = 44;

const inMinutes = (seconds) =>
  seconds < 120 ? `${digits(seconds)} s` : `${digits(seconds / 60)} min`;

const SLIDERS = [
  ["period_s", "Period of the job", linear(60, 7200, 60), inMinutes],
  ["phase", "Phase: first run", linear(0, 1, 0.05), (v) => `${Math.round(v * 100)}% of a period after 0`],
  ["delay_s", "Delays until readable", linear(0, 3600, 30), inMinutes],
  ["ttl_s", "Cache TTL", linear(0, 1800, 30), inMinutes],
  ["sla_s", "SLA", linear(60, 7200, 60), inMinutes],
];

function scales(shown) {
  return {
    x: (time) => LEFT + (time / shown.window_s) * (WIDE - LEFT - RIGHT),
    y: (age) => HIGH - FOOT - (age / shown.top_s) * (HIGH - FOOT - TOP),
  };
}

function axes(shown, { x, y }) {
  const floor = HIGH - FOOT;
  return [
    ...roundSteps(0, shown.top_s / 60, 5).flatMap((age) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(age * 60), y2: y(age * 60) }),
      words(digits(age), LEFT - 8, y(age * 60) + 4, { "text-anchor": "end" }),
    ]),
    ...roundSteps(0, shown.window_s / 60, 8).map((time) => words(digits(time), x(time * 60), floor + 18, { "text-anchor": "middle" })),
    svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: floor, y2: floor }),
    words("age when read (min)", 4, 14, { class: "quiet" }),
    words("time (min)", (LEFT + WIDE - RIGHT) / 2, HIGH - 6, { "text-anchor": "middle", class: "quiet" }),
  ];
}

const polyline = (points) => points.map((point) => point.join(",")).join(" ");

// What may be read in the store and in the oldest copy, hatched above the SLA.
function ages(shown, { x, y }, clip, hatch) {
  const stored = shown.rows.map(([time, age]) => [x(time), y(age)]);
  const oldest = shown.rows.map(([time, , age]) => [x(time), y(age)]);
  const under = [[x(0), y(0)], ...oldest, [x(shown.window_s), y(0)]];
  return [
    hatching(hatch),
    svg("clipPath", { id: clip }, svg("rect", { x: LEFT, y: TOP, width: WIDE - LEFT - RIGHT, height: Math.max(y(shown.sla.age_s) - TOP, 0) })),
    svg("polygon", { points: polyline(under), fill: `url(#${hatch})`, "clip-path": `url(#${clip})` }),
    ...(shown.cached ? [svg("polyline", { class: "curve exact", "stroke-dasharray": "2 3", points: polyline(oldest) })] : []),
    svg("polyline", { class: "curve", points: polyline(stored) }),
  ];
}

function marks(shown, { x, y }) {
  const at = x(shown.read.time_s), sla = y(shown.sla.age_s);
  return [
    svg("line", { class: "curve rule", x1: LEFT, x2: WIDE - RIGHT, y1: sla, y2: sla }),
    words("SLA", WIDE - RIGHT + 6, sla - 2, { class: "rule-text" }),
    words(shown.sla.label, WIDE - RIGHT + 6, sla + 14, { class: "rule-text" }),
    svg("line", { class: "stem exact", x1: at, x2: at, y1: 22, y2: HIGH - FOOT }),
    words(shown.read.label, at - 6, 30, { class: "exact-text halo", "text-anchor": "end" }),
    svg("circle", { class: "exact-shape", cx: at, cy: y(shown.read.low_s), r: 5 }),
    svg("circle", { class: "exact-shape", cx: at, cy: y(shown.read.high_s), r: 5 }),
  ];
}

function draw(plot, clip, hatch, shown) {
  const scale = scales(shown);
  plot.setAttribute("aria-label", shown.alt);
  plot.replaceChildren(...axes(shown, scale), ...ages(shown, scale, clip, hatch), ...marks(shown, scale));
}

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move);
  const sum = h("p", { class: "mlsd-formula" });
  const rows = h("table", { class: "mlsd-table" });
  const verdict = h("p", { class: "mlsd-headline" });
  const plot = svg("svg", { class: "mlsd-plot", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}` });
  const note = h("p", { class: "mlsd-note" });
  const key = h("p", { class: "mlsd-note" }, "Solid: in the store. Dotted: the oldest copy in the cache. Hatched: older than the SLA.");
  const clip = unique("clip"), hatch = unique("hatch");
  const knobs = h("div", { class: "mlsd-controls" }, ...controls.map((c) => c.node));

  return explorable({ model, el }, {
    kind: "freshness", title: "Freshness timeline", controls, move, parts: [knobs, sum, rows, verdict, plot, key, note],
    show: (shown) => {
      sum.textContent = shown.sum;
      setTable(rows, shown.table, { named: false });
      note.textContent = shown.note;
      verdict.textContent = shown.verdict;
      draw(plot, clip, hatch, shown);
    },
  });
}

export default { render };
