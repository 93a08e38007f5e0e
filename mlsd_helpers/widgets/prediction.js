// A question, a number, a button; the truth comes from Python only after the number is locked in.

function render({ model, el }) {
  const problem = liveRegion({ class: "mlsd-problem", id: unique("problem") });
  const verdict = liveRegion({ class: "mlsd-verdict" });
  const field = numberField({ name: model.get("question"), unit: model.get("hint"), describedBy: problem.id });
  const commit = () => {
    if (!model.get("locked")) model.send({ kind: "lock", guess: field.input.value });
  };
  const lock = button("Lock in", commit, [field.input]);
  const answer = h("div", { class: "mlsd-answer" }, field.input, field.unit, lock);
  el.append(alive(model, "prediction", h("p", { class: "mlsd-kind" }, model.get("heading")), field.label, answer, problem, verdict));

  return follow(model, ["locked", "problem", "verdict"], () => {
    const locked = model.get("locked");
    if (locked) field.input.value = model.get("locked_text");
    field.input.readOnly = locked;
    field.input.setAttribute("aria-invalid", String(model.get("problem") !== ""));
    lock.setAttribute("aria-disabled", String(locked)); // stays focusable: the focus is not lost
    lock.textContent = locked ? "Locked in" : "Lock in";
    problem.textContent = model.get("problem");
    showVerdict(verdict, model.get("verdict"));
  });
}

export default { render };
