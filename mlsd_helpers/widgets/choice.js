// A question with options; what each option means comes from Python only after it is chosen.

function option(name, text) {
  const id = unique("option");
  const input = h("input", { id, type: "radio", name, value: text, ...OWN_KEYS });
  return { input, text, node: h("div", { class: "mlsd-option" }, input, h("label", { for: id }, text)) };
}

function render({ model, el }) {
  const group = unique("choice");
  const options = model.get("options").map((text) => option(group, text));
  const problem = liveRegion({ class: "mlsd-problem" });
  const verdict = liveRegion({ class: "mlsd-verdict" });
  const commit = () => {
    const picked = options.find((o) => o.input.checked)?.text ?? "";
    if (!model.get("correct")) model.send({ kind: "choose", option: picked });
  };
  const check = button("Check", commit, options.map((o) => o.input));
  const question = h("legend", { class: "mlsd-label" }, model.get("question"));
  el.append(box("choice", h("fieldset", {}, question, ...options.map((o) => o.node)), check, problem, verdict));

  return follow(model, ["chosen", "correct", "problem", "verdict"], () => {
    const chosen = model.get("chosen");
    const correct = model.get("correct");
    for (const o of options) {
      if (o.text === chosen) o.input.checked = true;
      o.node.classList.toggle("mlsd-right", correct && o.text === chosen);
      o.input.disabled = correct && o.text !== chosen;
    }
    check.setAttribute("aria-disabled", String(correct));
    problem.textContent = model.get("problem");
    showVerdict(verdict, model.get("verdict"));
  });
}

export default { render };
