// Incidents moment by moment. What a choice of plane means comes from Python only after it is made.

const group = (legend, options) =>
  h("fieldset", {}, h("legend", { class: "mlsd-label" }, legend), ...options.map((o) => o.node));

function listed([when, what]) {
  return h("li", {}, h("span", { class: "mlsd-when" }, when), h("span", {}, what));
}

// Set only what differs, so that a focused control keeps its focus and nothing is read out twice.
function mark(options, value) {
  for (const o of options) o.input.checked = o.value === value;
}

function build(model, shown) {
  const incidentGroup = unique("incidents"), planeGroup = unique("planes");
  const incidents = shown.names.map((name, i) => option("radio", incidentGroup, String(i), name));
  for (const { input, value } of incidents) {
    input.addEventListener("change", () => model.send({ kind: "turn", position: Number(value) }));
  }
  const planes = shown.planes.map(([name, does]) =>
    option("radio", planeGroup, name, h("span", {}, name), " ", h("span", { class: "mlsd-detail" }, does)));
  const step = (moments) => () => model.send({ kind: "step", moments });
  const next = button("Next moment", step(1)), back = button("Back", step(-1));
  const check = button("Check", () => model.send({ kind: "choose", plane: chosen(planes) }), planes.map((o) => o.input));
  return { incidents, planes, next, back, check };
}

function render({ model, el }) {
  const view = h("div", {});
  const moments = h("ol", { class: "mlsd-moments", "aria-label": "What happened so far" });
  const latest = liveRegion({ class: "mlsd-screen-reader" });
  const progress = h("span", { class: "mlsd-unit" });
  const problem = liveRegion({ class: "mlsd-problem" });
  const verdict = liveRegion({ class: "mlsd-verdict" });
  const source = h("p", { class: "mlsd-note" });
  let parts = null, before = "";
  const open = closable({ model, el }, "autopsy", view, latest);

  return follow(model, ["ready", "shown", "problem"], () => {
    const shown = model.get("shown");
    if (!open() || !shown.names) return;
    if (!parts) {
      parts = build(model, shown);
      const steps = h("div", { class: "mlsd-steps" }, parts.next, parts.back, progress);
      view.append(group("Incident", parts.incidents), moments, steps, group(shown.question, parts.planes), parts.check, problem, verdict, source);
    }
    const turned = `${shown.now}:${shown.chosen}`;
    mark(parts.incidents, String(shown.now));
    if (turned !== before) mark(parts.planes, shown.chosen);
    const now = shown.moments.at(-1).join(": ");
    if (before && latest.textContent !== now) latest.textContent = now;
    before = turned;
    moments.replaceChildren(...shown.moments.map(listed));
    progress.textContent = shown.progress;
    parts.next.setAttribute("aria-disabled", String(!shown.more));
    parts.back.setAttribute("aria-disabled", String(shown.moments.length === 1));
    shown.names.forEach((name, i) => {
      parts.incidents[i].node.classList.toggle("mlsd-right", shown.solved[i]);
    });
    parts.planes.forEach((o) => {
      o.node.classList.toggle("mlsd-right", shown.solved[shown.now] && o.value === shown.chosen);
    });
    problem.textContent = model.get("problem");
    showVerdict(verdict, shown.verdict);
    source.textContent = shown.source;
  });
}

export default { render };
