// A question with options; what each option means comes from Python only after it is chosen.

function render({ model, el }) {
  const group = unique("choice");
  const options = model.get("options").map((text) => option("radio", group, text, text));
  const problem = liveRegion({ class: "mlsd-problem" });
  const verdict = liveRegion({ class: "mlsd-verdict" });
  const commit = () => {
    if (!model.get("correct")) model.send({ kind: "choose", option: chosen(options) });
  };
  const check = button("Check", commit, options.map((o) => o.input));
  const question = h("legend", { class: "mlsd-label" }, model.get("question"));
  el.append(alive(model, "choice", h("fieldset", {}, question, ...options.map((o) => o.node)), check, problem, verdict));

  return follow(model, ["chosen", "correct", "problem", "verdict"], () => {
    const answer = model.get("chosen"), correct = model.get("correct");
    for (const o of options) {
      if (o.value === answer) o.input.checked = true;
      o.node.classList.toggle("mlsd-right", correct && o.value === answer);
      o.input.disabled = correct && o.value !== answer;
    }
    check.setAttribute("aria-disabled", String(correct));
    problem.textContent = model.get("problem");
    showVerdict(verdict, model.get("verdict"));
  });
}

export default { render };
