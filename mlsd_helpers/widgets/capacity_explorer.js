// The rule and Erlang C on one control. Python computes and words everything; this file moves and draws it.

const WIDE = 680, HIGH = 270, LEFT = 62, RIGHT = 18, TOP = 44, FOOT = 44;

const SLIDERS = [
  ["peak_rps", "Peak rate", logarithmic(10, 10_000, 20), (v) => `${digits(v)} requests/s`],
  ["service_time_s", "Service time", logarithmic(0.001, 0.5, 20), showSeconds],
  ["target_utilisation", "Target utilisation", linear(0.3, 0.95, 0.01), (v) => `${Math.round(v * 100)}%`],
  ["headroom", "Headroom", linear(0, 1, 0.05), (v) => `${Math.round(v * 100)}%`],
];

function scales(shown) {
  const last = shown.curve.at(-1)[0];
  const { low } = shown;
  return {
    low, last,
    x: (replicas) => LEFT + ((replicas - low) / (last - low)) * (WIDE - LEFT - RIGHT),
    y: (wait) => HIGH - FOOT - (wait / shown.top_s) * (HIGH - FOOT - TOP),
  };
}

function axes(shown, { low, last, x, y }) {
  const floor = HIGH - FOOT;
  return [
    ...roundSteps(0, shown.top_s, 4).flatMap((wait) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(wait), y2: y(wait) }),
      words(showSeconds(wait), LEFT - 8, y(wait) + 4, { "text-anchor": "end" }),
    ]),
    ...roundSteps(low, last, 7, true).map((n) => words(digits(n), x(n), floor + 18, { "text-anchor": "middle" })),
    svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: floor, y2: floor }),
    words(shown.wait_name, LEFT - 8, TOP - 10, { "text-anchor": "end", class: "quiet" }),
    words("replicas", (LEFT + WIDE - RIGHT) / 2, HIGH - 6, { "text-anchor": "middle", class: "quiet" }),
  ];
}

// Up to the load the queue has no end: a hatched strip with its reason along it.
function unstable(shown, { x }, hatch) {
  const width = x(shown.load) - LEFT, middle = LEFT + width / 2, centre = (TOP + HIGH - FOOT) / 2;
  const turned = { transform: `rotate(-90 ${middle} ${centre})`, "text-anchor": "middle", class: "quiet halo" };
  return [
    hatching(hatch),
    svg("rect", { x: LEFT, y: TOP, width, height: HIGH - FOOT - TOP, fill: `url(#${hatch})` }),
    svg("line", { class: "axis", x1: x(shown.load), x2: x(shown.load), y1: TOP, y2: HIGH - FOOT }),
    words("queue without end", middle, centre + 4, turned),
  ];
}

function curve(shown, { x, y }) {
  const inside = ([replicas, wait]) => [x(replicas), y(Math.min(wait, shown.top_s * 1.5))];
  const points = shown.curve.map(inside);
  const dots = shown.dots ? points.filter(([, v]) => v >= TOP - 1) : [];
  return [
    svg("polyline", { class: "curve", points: points.map((p) => p.join(",")).join(" ") }),
    ...dots.map(([cx, cy]) => svg("circle", { class: "point", cx, cy, r: 2.6 })),
  ];
}

// A fleet: a stem, its name above the plot on a row of its own, and its mark on the curve. The rule's square is
// hollow, so that the disc of Erlang C shows inside it where the two agree.
const square = (x, y) => svg("rect", { class: "rule-shape", x: x - 7, y: y - 7, width: 14, height: 14 });
const disc = (x, y) => svg("circle", { class: "exact-shape", cx: x, cy: y, r: 5 });

function mark(kind, fleet, row, shape, { x, y }) {
  const at = x(fleet.replicas);
  const beyond = at > WIDE / 2;
  return [
    svg("line", { class: `stem ${kind}`, x1: at, x2: at, y1: row - 9, y2: HIGH - FOOT }),
    words(fleet.label, at + (beyond ? -6 : 6), row, {
      class: `${kind}-text halo`, "text-anchor": beyond ? "end" : "start",
    }),
    shape(at, y(fleet.wait_s)),
  ];
}

// Its label ends at the right, or to the left of a stem that would cross it.
function budgetPlace(shown, { x }, budget) {
  const wide = 7 * shown.budget.label.length;
  const stems = [shown.exact, shown.rule].map((fleet) => x(fleet.replicas)).sort((a, b) => b - a);
  const right = stems.reduce((end, at) => (at > end - wide - 10 && at < end + 10 ? at - 14 : end), WIDE - RIGHT);
  return [right, budget - 6, { class: "quiet halo", "text-anchor": "end" }];
}

function draw(plot, clip, hatch, shown) {
  const scale = scales(shown);
  const budget = scale.y(shown.budget.wait_s);
  const rows = shown.exact.replicas < shown.rule.replicas ? { exact: 14, rule: 32 } : { rule: 14, exact: 32 };
  plot.setAttribute("aria-label", shown.alt);
  plot.replaceChildren(
    svg("clipPath", { id: clip }, svg("rect", { x: LEFT, y: TOP, width: WIDE - LEFT, height: HIGH - TOP })),
    ...axes(shown, scale),
    ...unstable(shown, scale, hatch),
    svg("line", { class: "budget", x1: LEFT, x2: WIDE - RIGHT, y1: budget, y2: budget }),
    svg("g", { "clip-path": `url(#${clip})` }, ...curve(shown, scale)),
    ...mark("exact", shown.exact, rows.exact, disc, scale),
    ...mark("rule", shown.rule, rows.rule, square, scale),
    words(shown.budget.label, ...budgetPlace(shown, scale, budget)),
  );
}

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move);
  const formula = h("p", { class: "mlsd-formula" });
  const rows = h("table", { class: "mlsd-table" });
  const verdict = h("p", { class: "mlsd-headline" });
  const plot = svg("svg", { class: "mlsd-plot", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}` });
  const note = h("p", { class: "mlsd-note" });
  const clip = unique("clip"), hatch = unique("hatch");
  const knobs = h("div", { class: "mlsd-controls" }, ...controls.map((c) => c.node));

  return explorable({ model, el }, {
    kind: "capacity", title: "Capacity explorer", controls, move, parts: [knobs, formula, rows, verdict, plot, note],
    show: (shown) => {
      formula.textContent = shown.formula;
      setTable(rows, shown);
      note.textContent = shown.note;
      verdict.textContent = shown.verdict;
      draw(plot, clip, hatch, shown);
    },
  });
}

export default { render };
