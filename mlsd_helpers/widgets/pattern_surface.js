// Which pattern is the cheapest that is fresh enough. Python computes, words and draws everything; this file moves it.

function showAge(seconds) {
  for (const [unit, size] of [["d", 86_400], ["h", 3_600], ["min", 60]]) {
    if (seconds >= 2 * size || seconds === size) return `${digits(seconds / size)} ${unit}`;
  }
  return `${digits(seconds)} s`;
}
const millions = (price) => `$${digits(price)} a million`;

// A slider that stops at the ages people speak of. A value from Python that is none of them stands at the nearest.
const SPOKEN = [
  1, 2, 5, 10, 30, ...[1, 2, 5, 10, 15, 20, 30, 45].map((minutes) => minutes * 60),
  ...[1, 2, 6, 12, 24, 48, 168].map((hours) => hours * 3_600),
];
function ageScale(low, high) {
  const ages = SPOKEN.filter((age) => low <= age && age <= high);
  const away = (age, value) => Math.abs(Math.log(age / value));
  return {
    last: ages.length - 1,
    value: (position) => ages[position],
    position: (value) => ages.reduce((best, age, at) => (away(age, value) < away(ages[best], value) ? at : best), 0),
  };
}
const tenths = (low, high) => logarithmic(low, high, 10);
const percent = (share) => `${Math.round(share * 100)}%`;

// Python gives each slider its name and its ends.
const INPUTS = [
  ["rate_rps", tenths, (v) => `${digits(v)} requests/s`],
  ["max_age_s", ageScale, showAge],
  ["key_count", tenths, (v) => `${digits(v)} keys`],
  ["read_share", (low, high) => linear(low, high, 0.01), (v) => `${percent(v)} reads, ${percent(1 - v)} events`],
  ["inference_price", tenths, millions],
  ["read_price", tenths, millions],
];

function checkbox(trait, name, move) {
  const { input, node } = option("checkbox", trait, null, name);
  input.addEventListener("change", () => move(trait, input.checked));
  return { trait, node, show: (value) => (input.checked = value) };
}

function render({ model, el }) {
  const move = mover(model);
  const rows = INPUTS.map(([trait, scale, format]) => {
    const [name, ...ends] = model.get("ranges")[trait];
    return [trait, name, scale(...ends), format];
  });
  const controls = [...sliders(rows, move), checkbox("listable", "Inputs are known ahead, by a list and events", move)];
  const parts = [
    panel(controls), line("verdict", "mlsd-headline"), picture(), grid("costs", { caption: "Cost of each pattern" }),
    grid("flips", { caption: "Where the choice flips" }), line("note", "mlsd-note"),
  ];
  return explorable({ model, el }, { kind: "patterns", controls, move, parts });
}

export default { render };
