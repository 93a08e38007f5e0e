// The queue theatre: two routings of the same requests. Python simulates, words and draws; controls come by steps.

const SLIDERS = [
  ["replicas", "Replicas", linear(1, 80, 1), digits],
  ["peak_rps", "Rate", logarithmic(10, 1000, 20), (v) => `${digits(v)} requests/s`],
  ["burstiness", "Index of burstiness", logarithmic(1, 200, 8), (v) => (v === 1 ? "1, Poisson" : digits(v))],
  ["batch", "Largest batch", linear(1, 32, 1), (v) => (v === 1 ? "1, no batching" : digits(v))],
  ["cached_share", "Cache holds", linear(0, 0.5, 0.01), (v) => `${Math.round(v * 100)}% of the keys`],
];

function select({ trait, name, options, move }) {
  const children = options.map(([value, shown]) => h("option", { value }, shown));
  const { input, node } = labelled("select", name, { class: "mlsd-number" }, ...children);
  input.addEventListener("change", () => move(trait, input.value));
  return { trait, node, show: (value) => (input.value = value) };
}

// Buttons of which one is pressed: what happens to the fleet.
function events({ trait, name, options, move }) {
  const buttons = options.map(([value, shown]) => [value, button(shown, () => move(trait, value))]);
  const node = h(
    "div", { role: "group", "aria-label": name, class: "mlsd-events" },
    h("span", { class: "mlsd-label" }, name), ...buttons.map(([, b]) => b),
  );
  const show = (value) => {
    for (const [option, b] of buttons) b.setAttribute("aria-pressed", String(option === value));
  };
  return { trait, node, show };
}

// The controls that are offered so far, and below them the sentence that introduces the latest; a button offers more.
function steps(model, controls) {
  const all = model.get("choices").steps;
  const title = h("p", { class: "mlsd-label", tabindex: -1 }), text = h("p");
  const more = button("", () => {
    model.set("step", model.get("step") + 1);
    model.save_changes();
    title.focus(); // the sentence that introduces what is new is read out
  });
  const show = () => {
    const at = model.get("step");
    const offered = all.slice(0, at).flatMap(([, , traits]) => traits);
    for (const control of controls) control.node.hidden = !offered.includes(control.trait);
    [title.textContent, text.textContent] = [`${at} ${all[at - 1][0]}`, all[at - 1][1]];
    more.hidden = at === all.length;
    if (!more.hidden) more.textContent = `Next: ${all[at][0].toLowerCase()}`;
  };
  return { node: h("div", {}, panel(controls), h("div", { class: "mlsd-step" }, title, text, more)), show };
}

function render({ model, el }) {
  const move = mover(model), choices = model.get("choices");
  const controls = [
    ...sliders(SLIDERS, move),
    select({ trait: "routing", name: "Routing below", options: choices.routing, move }),
    events({ trait: "event", name: "What happens", options: choices.event, move }),
  ];
  const offered = steps(model, controls);
  const parts = [
    offered, line("routings", "mlsd-note"), line("fleet", "mlsd-formula"), line("verdict", "mlsd-headline"), picture(),
    line("seen", "mlsd-seen"), grid("table"), line("explained", "mlsd-explained"), line("note", "mlsd-note"),
  ];
  const unfollow = follow(model, ["step"], offered.show);
  const end = explorable({ model, el }, {
    kind: "theatre", controls, move, parts,
    show: (shown) => el.firstElementChild.classList.toggle("mlsd-overloaded", shown.overloaded),
  });
  return () => {
    unfollow();
    end();
  };
}

export default { render };
