// Which pattern is the cheapest that is fresh enough. Python computes and words everything; this file moves and draws it.

const MAP = { wide: 680, high: 330, left: 62, right: 14, top: 12, foot: 44 };

function showAge(seconds) {
  for (const [unit, size] of [["d", 86_400], ["h", 3_600], ["min", 60]]) {
    if (seconds >= 2 * size || seconds === size) return `${digits(seconds / size)} ${unit}`;
  }
  return `${digits(seconds)} s`;
}
const millions = (price) => `$${digits(price)} a million`;

// A slider that stops at the ages people speak of. A value from Python that is none of them stands at the nearest.
const AGES = [
  1, 2, 5, 10, 30, ...[1, 2, 5, 10, 15, 20, 30, 45].map((minutes) => minutes * 60),
  ...[1, 2, 6, 12, 24, 48, 168].map((hours) => hours * 3_600),
];
const ageScale = {
  last: AGES.length - 1,
  value: (position) => AGES[position],
  position: (value) => AGES.reduce((best, age, at) => (Math.abs(Math.log(age / value)) < Math.abs(Math.log(AGES[best] / value)) ? at : best), 0),
};

// What stands on the map's sliders, in the order of Python's assumptions.
const INPUTS = [
  ["rate_rps", "Request rate", logarithmic(1, 100_000, 10), (v) => `${digits(v)} requests/s`],
  ["max_age_s", "Allowed age", ageScale, showAge],
  ["key_count", "Different inputs", logarithmic(100, 1_000_000_000, 10), (v) => `${digits(v)} keys`],
  ["read_share", "Share of reads among reads and events", linear(0.05, 1, 0.01), (v) => `${Math.round(v * 100)}%`],
  ["inference_price", "Price of an inference", logarithmic(0.1, 10_000, 10), millions],
  ["read_price", "Price of a read", logarithmic(0.01, 100, 10), millions],
];

const across = (value, [low, high], size) =>
  size * Math.min(1, Math.max(0, Math.log(value / low) / Math.log(high / low)));
const plotWide = MAP.wide - MAP.left - MAP.right, plotHigh = MAP.high - MAP.top - MAP.foot;
const mapX = ({ rates }, rate) => MAP.left + across(rate, rates.ends, plotWide);
const mapY = ({ ages }, age) => MAP.high - MAP.foot - across(age, ages.ends, plotHigh);

// Regions differ by pattern and by label as well as by colour: A is blank, B upright, C slanting, H crossed.
function hatches(id) {
  const lines = {
    B: [[0, 0, 0, 8]],
    C: [[0, 8, 8, 0]],
    H: [[0, 0, 8, 8], [0, 8, 8, 0]],
  };
  return svg("defs", {}, ...Object.entries(lines).map(([name, strokes]) =>
    svg("pattern", { id: `${id}-${name}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" },
      svg("rect", { width: 8, height: 8, class: `mlsd-fill-${name}` }),
      ...strokes.map(([x1, y1, x2, y2]) => svg("line", { x1, y1, x2, y2, class: `mlsd-line-${name}` })),
    )));
}

function regions({ surface }, id) {
  const wide = plotWide / surface[0].length, high = plotHigh / surface.length;
  const x = (column) => MAP.left + column * wide, y = (row) => MAP.high - MAP.foot - row * high;
  const tiles = [], edges = [];
  surface.forEach((letters, row) => {
    for (let first = 0, at = 1; at <= letters.length; at += 1) {
      if (letters[at] === letters[first]) continue;
      const name = letters[first];
      if (name !== "A") tiles.push(svg("rect", { x: x(first), y: y(row + 1), width: (at - first) * wide, height: high, fill: `url(#${id}-${name})` }));
      if (at < letters.length) edges.push(`M${x(at)} ${y(row)}V${y(row + 1)}`);
      first = at;
    }
    const above = surface[row + 1] ?? letters;
    for (let at = 0; at < letters.length; at += 1) {
      if (above[at] !== letters[at]) edges.push(`M${x(at)} ${y(row + 1)}H${x(at + 1)}`);
    }
  });
  return { tiles, border: svg("path", { class: "mlsd-border", d: edges.join("") }), x, y, wide, high };
}

function frame(shown) {
  const floor = MAP.high - MAP.foot, [, highest] = shown.rates.ends;
  return [
    ...shown.rates.ticks.map(([rate, name]) => words(name, mapX(shown, rate), floor + 18, { "text-anchor": rate === highest ? "end" : "middle" })),
    ...shown.ages.ticks.map(([age, name]) => words(name, MAP.left - 8, mapY(shown, age) + 4, { "text-anchor": "end" })),
    svg("rect", { x: MAP.left, y: MAP.top, width: plotWide, height: plotHigh, class: "mlsd-frame" }),
    words("request rate (requests/s)", MAP.left + plotWide / 2, MAP.high - 6, { "text-anchor": "middle", class: "quiet" }),
    words("allowed age", MAP.left + 8, MAP.top + 18, { class: "quiet halo" }),
  ];
}

function paint(plot, id, shown, rate, age) {
  const { tiles, border, x, y, wide, high } = regions(shown, id);
  const names = shown.labels.map(([letter, name, column, row]) =>
    words(`${letter} ${name}`, Math.min(x(column) + wide / 2, MAP.wide - 60), y(row) - high / 2 + 4, { "text-anchor": "middle", class: "mlsd-region halo" }));
  const here = [mapX(shown, rate), mapY(shown, age)];
  plot.setAttribute("aria-label", shown.alt);
  plot.replaceChildren(
    hatches(id), ...tiles, border, ...frame(shown), ...names,
    svg("line", { class: "mlsd-cross", x1: here[0], x2: here[0], y1: MAP.top, y2: MAP.high - MAP.foot }),
    svg("line", { class: "mlsd-cross", x1: MAP.left, x2: MAP.wide - MAP.right, y1: here[1], y2: here[1] }),
    svg("path", { class: "mlsd-here", d: `M${here[0]} ${here[1] - 8}l8 8l-8 8l-8 -8z` }),
  );
}

function checkbox(trait, name, move) {
  const id = unique("check");
  const input = h("input", { id, type: "checkbox", ...OWN_KEYS });
  input.addEventListener("change", () => move(trait, input.checked));
  const node = h("div", { class: "mlsd-check" }, input, h("label", { for: id }, name));
  return { trait, node, show: (value) => (input.checked = value) };
}

function render({ model, el }) {
  const move = mover(model);
  const controls = [...sliders(INPUTS, move), checkbox("listable", "The inputs can be listed ahead", move)];
  const verdict = h("p", { class: "mlsd-headline" });
  const plot = svg("svg", { class: "mlsd-plot", role: "img", viewBox: `0 0 ${MAP.wide} ${MAP.high}` });
  const prices = h("table", { class: "mlsd-table" }), flips = h("table", { class: "mlsd-table mlsd-flips" });
  const note = h("p", { class: "mlsd-note" });
  const id = unique("hatch");
  const knobs = h("div", { class: "mlsd-controls" }, ...controls.map((control) => control.node));

  return explorable({ model, el }, {
    kind: "patterns", title: "Pattern surface", controls, move, parts: [knobs, verdict, plot, prices, flips, note],
    show: (shown) => {
      verdict.textContent = shown.verdict;
      paint(plot, id, shown, model.get("rate_rps"), model.get("max_age_s"));
      setTable(prices, shown.costs, { caption: "Cost of each pattern" });
      setTable(flips, shown.flips, { caption: "Where the choice flips" });
      note.textContent = shown.note;
    },
  });
}

export default { render };
