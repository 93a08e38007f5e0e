// A product owner with little time. An answer comes from Python only after its question is asked.

function note(key, asked, answer) {
  const id = unique("note");
  const input = h("input", { id, type: "checkbox", value: key, ...OWN_KEYS });
  const text = h(
    "label", { for: id }, h("span", { class: "mlsd-question" }, asked), " ", h("span", { class: "mlsd-reply" }, answer),
  );
  return { key, answer, input, node: h("li", {}, input, text) };
}

function render({ model, el }) {
  const shown = () => model.get("shown");
  const group = unique("questions");
  const questions = shown().questions.map(([key, text]) => option("radio", group, key, text));
  let notes = [], before = shown().notes.length;
  const marked = () => notes.filter((n) => n.input.checked).map((n) => n.key);

  const ask = button("Ask", () => model.send({ kind: "ask", key: chosen(questions) }), questions.map((q) => q.input));
  const left = h("span", { class: "mlsd-unit" });
  const end = button("I have heard enough", () => model.send({ kind: "end" }));
  const confront = button("These two cannot both hold", () => model.send({ kind: "confront", keys: marked() }));
  const again = button("Start again", () => {
    model.send({ kind: "again" });
    questions[0].input.focus();
  });
  const problem = liveRegion({ class: "mlsd-problem" });
  const latest = liveRegion({ class: "mlsd-screen-reader" });
  const list = h("ol", { class: "mlsd-notes", "aria-label": "Your notes" });
  const reply = liveRegion({ class: "mlsd-verdict" });
  const review = liveRegion({ class: "mlsd-verdict" });
  const compare = h("div", { class: "mlsd-compare" }, h("p", { class: "mlsd-label" }, "Your notes"), list,
    h("div", { class: "mlsd-row" }, confront), reply);
  el.append(alive(
    model, "interview", h("p", { class: "mlsd-kind" }, "Interview"),
    h("fieldset", {}, h("legend", { class: "mlsd-label" }, shown().intro), ...questions.map((q) => q.node)),
    h("div", { class: "mlsd-row" }, ask, left, end, again), problem, compare, review, latest,
  ));

  return follow(model, ["shown", "problem"], () => {
    const now = shown();
    const heard = now.notes.map(([key]) => key).join();
    if (heard !== notes.map((n) => n.key).join()) {
      const kept = new Map(notes.map((n) => [n.key, n])); // a mark that was set stays set
      notes = now.notes.map(([key, asked, answer]) => kept.get(key) ?? note(key, asked, answer));
      list.replaceChildren(...notes.map((n) => n.node));
      latest.textContent = notes.length ? `${notes.at(-1).answer} ${now.left} left.` : "";
    }
    now.questions.forEach(([, , asked], i) => questions[i].node.classList.toggle("mlsd-asked", asked));
    compare.hidden = notes.length === 0;
    left.textContent = now.left ? `${now.left} left` : "0 left: the time is over";
    ask.setAttribute("aria-disabled", String(now.left === 0));
    problem.textContent = model.get("problem");
    showVerdict(reply, now.reply ? { headline: now.reply, reasons: [] } : {});
    showVerdict(review, now.review ? { headline: now.review, reasons: [now.assumed] } : {});
    if (now.notes.length > before) list.lastElementChild.scrollIntoView({ block: "nearest" }); // what was just asked
    before = now.notes.length;
  });
}

export default { render };
