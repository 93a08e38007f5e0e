// The rule and Erlang C on one control. Python computes, words and draws everything; this file has the sliders.

const SLIDERS = [
  ["peak_rps", "Peak rate", logarithmic(10, 10_000, 20), (v) => `${digits(v)} requests/s`],
  ["service_time_s", "Service time", logarithmic(0.001, 0.5, 20), showSeconds],
  ["target_utilisation", "Target utilisation", linear(0.3, 0.95, 0.01), (v) => `${Math.round(v * 100)}%`],
  ["headroom", "Headroom", linear(0, 1, 0.05), (v) => `${Math.round(v * 100)}%`],
];

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move);
  const parts = [
    panel(controls), line("formula", "mlsd-formula"), grid("table"), line("verdict", "mlsd-headline"), picture(),
    line("note", "mlsd-note"),
  ];
  return explorable({ model, el }, { kind: "capacity", controls, move, parts });
}

export default { render };
