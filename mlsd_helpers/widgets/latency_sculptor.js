// A latency curve with a tail to drag. Python computes, words and draws everything; this file moves it.

const inPercent = (share) => `${digits(100 * share)}%`;
const SCALES = {
  slow_share: logarithmic(0.00005, 0.2, 20),
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

// The value at a place on a logarithmic axis, given the places and values of its ends.
const valueAt = ([start, end, low, high], place) => low * (high / low) ** ((place - start) / (end - start));

// Drag the corner of the tail: sideways the slow time, up and down the share of slow requests, in a slider's steps.
function grip(model, move) {
  const node = svg("circle", { class: "handle", r: 9 });
  const put = (trait, place) => {
    const { value, position, last } = SCALES[trait];
    const at = position(valueAt(model.get("shown").axes[trait], place));
    const snapped = value(Math.max(0, Math.min(last, at)));
    if (model.get(trait) !== snapped) move(trait, snapped);
  };
  node.addEventListener("pointerdown", (event) => {
    node.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!node.hasPointerCapture(event.pointerId)) return;
    const [x, y] = within(node.ownerSVGElement, event);
    put("slow_s", x);
    put("slow_share", y);
  });
  return node;
}

function render({ model, el }) {
  const move = mover(model), controls = sliders(SLIDERS, move), handle = grip(model, move);
  const help = h("p", { class: "mlsd-note" },
    "Drag the ring to shape the tail, or use the first two sliders. A percentile is where the curve meets its level: p99 at 1%.");
  const parts = [
    picture(handle), help, panel(controls), line("sum", "mlsd-formula"), grid("table"),
    line("verdict", "mlsd-headline"), line("note", "mlsd-note"),
  ];
  return explorable({ model, el }, {
    kind: "sculptor", controls, move, parts,
    show: ({ handle: [cx, cy] }) => fill(handle, { cx, cy }, []),
  });
}

export default { render };
