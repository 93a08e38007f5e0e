// Incidents moment by moment. What a choice of plane means comes from Python only after it is made.

function radio(group, value, label) {
  const id = unique("radio");
  const input = h("input", { id, type: "radio", name: group, value, ...OWN_KEYS });
  return { input, value, node: h("div", { class: "mlsd-option" }, input, h("label", { for: id }, ...label)) };
}

function chooser(legend, options) {
  const node = h("fieldset", {}, h("legend", { class: "mlsd-label" }, legend), ...options.map((o) => o.node));
  return { node, options, picked: () => options.find((o) => o.input.checked)?.value ?? "" };
}

function listed([when, what]) {
  return h("li", {}, h("span", { class: "mlsd-when" }, when), h("span", {}, what));
}

// Set only what differs, so that a focused control keeps its focus and nothing is read out twice.
function mark(options, value) {
  for (const o of options) o.input.checked = o.value === value;
}

function build(model, shown) {
  const incidents = chooser("Incident", shown.names.map((name, i) => radio(unique("incidents"), String(i), [name])));
  const group = unique("incident");
  for (const { input, value } of incidents.options) {
    input.name = group;
    input.addEventListener("change", () => model.send({ kind: "turn", position: Number(value) }));
  }
  const planeGroup = unique("planes");
  const planes = chooser(shown.question, shown.planes.map(([name, does]) =>
    radio(planeGroup, name, [h("span", {}, name), " ", h("span", { class: "mlsd-detail" }, does)])));
  const step = (moments) => () => model.send({ kind: "step", moments });
  const next = button("Next moment", step(1)), back = button("Back", step(-1));
  const check = button("Check", () => model.send({ kind: "choose", plane: planes.picked() }),
    planes.options.map((o) => o.input));
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
      view.append(parts.incidents.node, moments, steps, parts.planes.node, parts.check, problem, verdict, source);
    }
    const turned = `${shown.now}:${shown.chosen}`;
    mark(parts.incidents.options, String(shown.now));
    if (turned !== before) mark(parts.planes.options, shown.chosen);
    const now = shown.moments.at(-1).join(": ");
    if (before && latest.textContent !== now) latest.textContent = now;
    before = turned;
    moments.replaceChildren(...shown.moments.map(listed));
    progress.textContent = shown.progress;
    parts.next.setAttribute("aria-disabled", String(!shown.more));
    parts.back.setAttribute("aria-disabled", String(shown.moments.length === 1));
    shown.names.forEach((name, i) => {
      parts.incidents.options[i].node.classList.toggle("mlsd-right", shown.solved[i]);
    });
    parts.planes.options.forEach((o) => {
      o.node.classList.toggle("mlsd-right", shown.solved[shown.now] && o.value === shown.chosen);
    });
    problem.textContent = model.get("problem");
    showVerdict(verdict, shown.verdict);
    source.textContent = shown.source;
  });
}

export default { render };
