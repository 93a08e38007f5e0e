// The age of a feature over time. Python computes, words and draws everything; this file has the sliders.

const inMinutes = (seconds) =>
  seconds < 120 ? `${digits(seconds)} s` : `${digits(seconds / 60)} min`;

const SLIDERS = [
  ["period_s", "Period of the job", linear(60, 7200, 60), inMinutes],
  ["phase", "Phase: first run", linear(0, 1, 0.05), (v) => `${Math.round(v * 100)}% of a period after 0`],
  ["delay_s", "Delays until readable", linear(0, 3600, 30), inMinutes],
  ["ttl_s", "Cache TTL", linear(0, 1800, 30), inMinutes],
  ["sla_s", "Age limit", linear(60, 7200, 60), inMinutes],
];

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move);
  const parts = [
    panel(controls), line("sum", "mlsd-formula"), grid("table", { named: false }), line("verdict", "mlsd-headline"),
    picture(), line("key", "mlsd-note"), line("note", "mlsd-note"),
  ];
  return explorable({ model, el }, { kind: "freshness", controls, move, parts });
}

export default { render };
