// The queue theatre: a fleet, and how long its requests take. Python simulates, words and draws the rest.

const SLIDERS = [
  ["peak_rps", "Rate", linear(50, 1000, 10), (v) => `${digits(v)} requests/s`],
  ["replicas", "Replicas", linear(1, 80, 1), digits],
  ["burstiness", "Burstiness (variance ÷ mean)", logarithmic(1, 200, 8), (v) => (v === 1 ? "1, Poisson" : digits(v))],
  ["batch", "Largest batch", linear(1, 32, 1), (v) => (v === 1 ? "1, no batching" : digits(v))],
  ["cached_share", "Cache holds", linear(0, 0.5, 0.01), (v) => `${Math.round(v * 100)}% of the keys`],
];

function select({ trait, name, options, move }) {
  const { input, node } = labelled("select", name, { class: "mlsd-number" }, ...options.map((o) => h("option", { value: o }, o)));
  input.addEventListener("change", () => move(trait, input.value));
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

function render({ model, el }) {
  const move = mover(model), choices = model.get("choices");
  const moved = [
    ...sliders(SLIDERS, move),
    select({ trait: "routing", name: "Routing", options: choices.routing, move }),
  ];
  const happens = events({ trait: "event", name: "What happens", options: choices.event, move });
  const fleet = h("div", { class: "mlsd-fleet" });
  const legend = h("p", { class: "mlsd-note" }, "One box a replica, one group a zone, filled as far as it is busy; crossed out: lost.");
  const parts = [
    panel(moved), happens.node, fleet, legend, line("fleet", "mlsd-formula"), line("verdict", "mlsd-headline"),
    picture(), grid("table"), line("note", "mlsd-note"),
  ];
  return explorable({ model, el }, {
    kind: "theatre", controls: [...moved, happens], move, parts,
    show: (shown) => fleet.replaceChildren(stage(model.get("replicas"), shown)),
  });
}

export default { render };
