// The queue theatre: a fleet, and how long its requests take. Python simulates and words everything.

const WIDE = 680, HIGH = 250, LEFT = 52, RIGHT = 18, TOP = 22, FOOT = 40;

const SLIDERS = [
  ["peak_rps", "Rate", linear(50, 1000, 10), (v) => `${digits(v)} requests/s`],
  ["replicas", "Replicas", linear(1, 80, 1), digits],
  ["burstiness", "Burstiness (variance ÷ mean)", logarithmic(1, 200, 8), (v) => (v === 1 ? "1, Poisson" : digits(v))],
  ["batch", "Largest batch", linear(1, 32, 1), (v) => (v === 1 ? "1, no batching" : digits(v))],
  ["cached_share", "Cache holds", linear(0, 0.5, 0.01), (v) => `${Math.round(v * 100)}% of the keys`],
];

function select({ trait, name, options, move }) {
  const id = unique("select");
  const input = h("select", { id, class: "mlsd-number", ...OWN_KEYS }, ...options.map((o) => h("option", { value: o }, o)));
  input.addEventListener("change", () => move(trait, input.value));
  const node = h("div", { class: "mlsd-pick" }, h("label", { for: id, class: "mlsd-label" }, name), input);
  return { trait, node, show: (value) => (input.value = value) };
}

// Buttons of which one is pressed: what happens to the fleet.
function events({ trait, name, options, move }) {
  const buttons = options.map((option) => [option, button(option, () => move(trait, option))]);
  const node = h(
    "div", { role: "group", "aria-label": name, class: "mlsd-events" },
    h("span", { class: "mlsd-label" }, name), ...buttons.map(([, b]) => b),
  );
  const show = (value) => {
    for (const [option, b] of buttons) b.setAttribute("aria-pressed", String(option === value));
  };
  return { trait, node, show };
}

// Replicas as boxes, zone by zone, filled as far as they are busy; a lost zone is crossed out.
function stage(replicas, { busy, zones, lost_zone }) {
  const size = 14, gap = 4, apart = 18;
  const each = Array.from({ length: zones }, (_, z) => Math.floor(replicas / zones) + (z < replicas % zones ? 1 : 0));
  let x = 0;
  const boxes = each.flatMap((count, zone) => {
    const lost = lost_zone && zone === 0;
    const drawn = Array.from({ length: count }, (_, i) => {
      const at = x + Math.floor(i / 3) * (size + gap), y = (i % 3) * (size + gap);
      const level = lost ? 0 : size * busy;
      return svg(
        "g", { transform: `translate(${at} ${y})` },
        svg("rect", { class: "replica", width: size, height: size }),
        svg("rect", { class: "level", y: size - level, width: size, height: level }),
        lost ? svg("path", { class: "cross", d: `M2 2 L${size - 2} ${size - 2} M${size - 2} 2 L2 ${size - 2}` }) : null,
      );
    });
    x += Math.ceil(count / 3) * (size + gap) + apart;
    return drawn;
  });
  const width = Math.max(x - apart, 1), height = 3 * (size + gap);
  return svg("svg", { class: "mlsd-stage", viewBox: `-1 -1 ${width + 2} ${height}`, width: Math.min(width, 660), "aria-hidden": "true" }, ...boxes);
}

// A share holds until the next time: where many requests take equally long, it jumps.
function steps([[x, y], ...rest]) {
  return `M${x} ${y}` + rest.map(([to, level]) => `H${to}V${level}`).join("");
}

function draw(plot, shown) {
  plot.setAttribute("aria-label", shown.alt);
  if (!shown.curve.length) {
    plot.replaceChildren(words("The queue has no end.", WIDE / 2, HIGH / 2, { "text-anchor": "middle" }));
    return;
  }
  const lines = [shown.formula, shown.predicted].filter((line) => line);
  const longest = shown.curve.at(-1)[0];
  const last = Math.max(longest, ...lines.map((line) => line.at).filter((at) => at < 3 * longest)) * 1.05;
  const x = (time) => LEFT + (time / last) * (WIDE - LEFT - RIGHT);
  const y = (share) => HIGH - FOOT - share * (HIGH - FOOT - TOP);
  const crowded = shown.marks.some((mark) => x(mark.at) > WIDE - RIGHT - 90); // no room to the right
  const stems = lines.filter((line) => line.at <= last).map((line, i) => {
    const at = x(line.at), kind = line === shown.formula ? "rule" : "exact", left = at > WIDE / 2;
    return svg(
      "g", {},
      svg("line", { class: `stem ${kind}`, x1: at, x2: at, y1: TOP - 8, y2: HIGH - FOOT, "stroke-dasharray": kind === "rule" ? "6 4" : "1 3" }),
      words(line.name, at + (left ? -6 : 6), y(0.12 + 0.12 * i), { class: `${kind}-text halo`, "text-anchor": left ? "end" : "start" }),
    );
  });
  const marks = shown.marks.flatMap((mark, i) => [
    svg("line", { class: "interval", x1: x(mark.low), x2: x(mark.high), y1: y(mark.share), y2: y(mark.share) }),
    svg("circle", { class: "exact-shape", cx: x(mark.at), cy: y(mark.share), r: 4.5 }),
    words(mark.name, x(mark.at) + (crowded ? -8 : 8), y(mark.share) + (i === 2 ? -8 : 16), { class: "exact-text halo", "text-anchor": crowded ? "end" : "start" }),
  ]);
  plot.replaceChildren(
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
      svg("line", { class: "grid", x1: LEFT, x2: WIDE - RIGHT, y1: y(share), y2: y(share) }),
      words(`${share * 100}%`, LEFT - 8, y(share) + 4, { "text-anchor": "end" }),
    ]),
    ...roundSteps(0, last, 6).map((time) => words(showSeconds(time), x(time), HIGH - FOOT + 18, { "text-anchor": "middle" })),
    svg("line", { class: "axis", x1: LEFT, x2: WIDE - RIGHT, y1: HIGH - FOOT, y2: HIGH - FOOT }),
    words("answered within", (LEFT + WIDE - RIGHT) / 2, HIGH - 4, { "text-anchor": "middle", class: "quiet" }),
    svg("path", { class: "curve", d: steps(shown.curve.map(([time, share]) => [x(time), y(share)])) }),
    ...stems, ...marks,
  );
}

function render({ model, el }) {
  const move = mover(model), choices = model.get("choices");
  const controls = [
    ...sliders(SLIDERS, move),
    select({ trait: "routing", name: "Routing", options: choices.routing, move }),
  ];
  const happens = events({ trait: "event", name: "What happens", options: choices.event, move });
  const theatre = h("div", { class: "mlsd-fleet" });
  const legend = h("p", { class: "mlsd-note" }, "One box a replica, one group a zone, filled as far as it is busy; crossed out: lost.");
  const fleet = h("p", { class: "mlsd-formula" });
  const rows = h("table", { class: "mlsd-table" });
  const verdict = h("p", { class: "mlsd-headline" });
  const plot = svg("svg", { class: "mlsd-plot", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}` });
  const note = h("p", { class: "mlsd-note" });
  const knobs = h("div", { class: "mlsd-controls" }, ...controls.map((c) => c.node));

  return explorable({ model, el }, {
    kind: "theatre", title: "Queue theatre", controls: [...controls, happens], move,
    parts: [knobs, happens.node, theatre, legend, fleet, verdict, plot, rows, note],
    show: (shown) => {
      theatre.replaceChildren(stage(model.get("replicas"), shown));
      fleet.textContent = shown.fleet;
      verdict.textContent = shown.verdict;
      setTable(rows, shown);
      note.textContent = shown.note;
      draw(plot, shown);
    },
  });
}

export default { render };
