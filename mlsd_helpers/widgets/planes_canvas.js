// Boxes and arrows on five lanes. Python holds the sketch, reviews it, words it and draws it; this file sends edits.

const HELP = "Tab to a box. Arrow keys move it, Enter starts an arrow and Enter on another box ends it, Delete removes, " +
  "K kills or revives, Escape cancels. By mouse: drag a box; drag from its dot to draw an arrow; " +
  "click to select.";

const keyOfBox = (id) => `box:${id}`;
const keyOfArrow = (at) => `arrow:${at}`;

const choose = (name, options) => labelled("select", name, { class: "mlsd-text" }, ...options);
const textField = (name, size) => labelled("input", name, { type: "text", class: "mlsd-text", autocomplete: "off", size });

const listFindings = (rows) => rows.map((one) =>
  h("li", {}, h("strong", {}, `${one.severity} ${one.code} `), `${one.found} `, h("em", {}, one.fix)),
);

function render({ model, el }) {
  let selected = null, from = null, drag = null, built = false, sent = "";
  const send = (kind, more = {}) => {
    sent = kind;
    model.send({ kind, ...more });
  };
  const shown = () => model.get("shown");

  const speech = liveRegion({ class: "mlsd-status" });
  const problem = liveRegion({ class: "mlsd-problem" }); // beside the tools that it is about
  const sketch = picture(), { plot } = sketch;
  plot.setAttribute("role", "group");
  const help = h("p", { class: "mlsd-note" }, HELP);
  const verdict = h("p", { class: "mlsd-headline" });
  const findings = h("ul", { class: "mlsd-findings" });
  const blast = h("p", { class: "mlsd-blast" });
  const inspector = h("div", { class: "mlsd-tools mlsd-inspector" });

  const name = textField("New box", 12), kind = choose("Kind", []), carries = choose("New arrows carry", []);
  const add = button("Add", () => {
    send("add", { id: name.input.value, of: kind.input.value });
    name.input.value = "";
  }, [name.input]);
  const undo = button("Undo", () => send("undo"));
  const tools = h("div", { class: "mlsd-tools" }, name.node, kind.node, add, carries.node, undo);
  const view = h("div", {}, tools, problem, inspector, speech, blast, sketch.node, help, verdict, findings);
  const open = closable({ model, el }, "canvas", view);

  const announce = (text, failed = false) => {
    const above = failed && (sent === "add" || sent === "undo");
    problem.textContent = above ? text : "";
    speech.textContent = above ? "" : text;
    speech.classList.toggle("mlsd-problem", failed);
  };
  const boxOf = (id) => shown().boxes.find((one) => one.id === id);

  function start(id) {
    from = id;
    announce(`Arrow starts at ${id}. Enter on another box ends it, Escape cancels.`);
    paint();
  }

  function end(id) {
    const begun = from;
    from = null;
    if (begun === id) announce("No arrow drawn.");
    else send("connect", { from: begun, to: id, carries: carries.input.value });
    paint();
  }

  function cancel() {
    from = null;
    announce("Cancelled.");
    paint();
  }

  const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  function onBoxKey(event, id) {
    const one = boxOf(id), by = MOVES[event.key];
    if (by) send("move", { id, x: one.x + by[0] * shown().pitch[0], y: one.y + by[1] * shown().pitch[1] });
    else if (event.key === "Enter") from === null ? start(id) : end(id);
    else if (event.key === "Delete" || event.key === "Backspace") send("remove", { id });
    else if (event.key === "Escape" && from !== null) cancel();
    else if (event.key.toLowerCase() === "k") send("kill", { id });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function onArrowKey(event, at) {
    if (event.key === "Delete" || event.key === "Backspace") send("remove_arrow", { at });
    else if (event.key === "Enter") inspector.querySelector("select, input")?.focus();
    else if (event.key === "Escape" && from !== null) cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function select(next) {
    if (JSON.stringify(next) === JSON.stringify(selected)) return;
    selected = next;
    for (const node of plot.querySelectorAll("[data-key]"))
      node.classList.toggle("chosen", node.dataset.key === selected?.key);
    inspect();
  }

  const at = (event) => within(plot, event);
  const under = ([x, y]) => {
    const [wide, high] = shown().box;
    return shown().boxes.find((b) => x >= b.x && x <= b.x + wide && y >= b.y && y <= b.y + high);
  };

  plot.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const [x, y] = at(event);
    drag.moved = drag.moved || Math.hypot(x - drag.x, y - drag.y) > 3;
    if (drag.line) drag.line.setAttribute("d", `M${drag.x} ${drag.y}L${x} ${y}`);
    else drag.node.setAttribute("transform", `translate(${drag.left + x - drag.x} ${drag.top + y - drag.y})`);
  });
  plot.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const done = drag, [x, y] = at(event);
    drag = null;
    done.line?.remove();
    if (done.line) {
      const target = under([x, y]);
      if (target && target.id !== done.id) send("connect", { from: done.id, to: target.id, carries: carries.input.value });
    } else if (done.moved) send("move", { id: done.id, x: done.left + x - done.x, y: done.top + y - done.y });
    else if (from !== null && from !== done.id) end(done.id);
  });

  function grab(event, one, node, drawing) {
    const [x, y] = at(event);
    const line = drawing ? svg("path", { class: "drawn" }) : null;
    if (line) plot.append(line);
    drag = { id: one.id, x, y, left: one.x, top: one.y, node, line, moved: false };
    plot.setPointerCapture(event.pointerId);
    if (drawing) event.stopPropagation();
  }

  // What a learner can focus and press, on a box or an arrow of the picture.
  function wire(key, chosen, onKey) {
    const node = fill(plot.querySelector(`[data-key="${key}"]`), { tabindex: 0, role: "button", ...OWN_KEYS }, []);
    node.addEventListener("keydown", onKey);
    node.addEventListener("focus", () => select({ key, ...chosen }));
    node.classList.toggle("chosen", key === selected?.key);
    return node;
  }

  function wireBox(one) {
    const [width, height] = shown().box;
    const node = wire(keyOfBox(one.id), { id: one.id }, (event) => onBoxKey(event, one.id));
    const dot = svg("circle", { class: "dot", cx: width, cy: height, r: 5 });
    node.prepend(svg("rect", { class: "ring", x: -4, y: -4, width: width + 8, height: height + 8, rx: 8 }));
    node.append(dot);
    node.classList.toggle("begun", from === one.id);
    node.addEventListener("pointerdown", (event) => {
      node.focus();
      grab(event, one, node, event.target === dot);
      event.preventDefault();
    });
  }

  function wireArrow(arrow) {
    const node = wire(keyOfArrow(arrow.at), { at: arrow.at }, (event) => onArrowKey(event, arrow.at));
    node.prepend(svg("path", { class: "wide", d: node.firstChild.getAttribute("d") }));
    node.addEventListener("pointerdown", () => node.focus());
  }

  // The focus stays where it was, or goes to the first box when what had it is gone.
  function paint() {
    const held = plot.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    sketch.show(shown());
    shown().arrows.forEach(wireArrow);
    shown().boxes.forEach(wireBox);
    if (held) (plot.querySelector(`[data-key="${held}"]`) ?? plot.querySelector(".box"))?.focus();
  }

  function inspect() {
    const now = shown();
    const one = now.boxes.find((b) => b.id === selected?.id);
    const arrow = now.arrows.find((a) => a.at === selected?.at);
    if (one) inspectBox(one, now);
    else if (arrow) inspectArrow(arrow, now);
    else inspector.replaceChildren(h("span", {}, "Nothing is selected."));
  }

  function inspectBox(one, now) {
    inspector.replaceChildren(
      h("strong", {}, one.id),
      button(now.killed === one.id ? "Revive" : "Kill", () => send("kill", { id: one.id })),
      button(from === null ? "Start an arrow" : "End the arrow here", () => {
        from === null ? start(one.id) : end(one.id);
        inspect();
      }),
      button("Remove box", () => send("remove", { id: one.id })),
    );
  }

  function inspectArrow(arrow, now) {
    const what = choose("carries", now.carries.map((word) => h("option", { selected: word === arrow.carries }, word)));
    const timeout = textField("timeout (ms)", 5), fallback = textField("fallback", 10), check = textField("check", 10);
    timeout.input.value = arrow.timeout_ms;
    fallback.input.value = arrow.fallback;
    check.input.value = arrow.check;
    const apply = () => send("change", {
      at: arrow.at, carries: what.input.value, timeout_ms: timeout.input.value,
      fallback: fallback.input.value, check: check.input.value,
    });
    inspector.replaceChildren(
      h("strong", {}, `${arrow.from} → ${arrow.to}`), what.node, timeout.node, fallback.node, check.node,
      button("Apply", apply, [timeout.input, fallback.input, check.input]),
      button("Remove", () => send("remove_arrow", { at: arrow.at })),
    );
  }

  function build(now) {
    built = true;
    kind.input.replaceChildren(...Object.entries(now.kinds).map(([plane, kinds]) =>
      h("optgroup", { label: plane }, ...kinds.map((one) => h("option", {}, one)))));
    carries.input.replaceChildren(...now.carries.map((word) => h("option", {}, word)));
  }

  return follow(model, ["ready", "shown"], () => {
    const now = shown();
    if (!open() || !now.boxes) return;
    if (!built) build(now);
    paint();
    if (!inspector.contains(document.activeElement) || document.activeElement.tagName === "BUTTON") {
      const pressed = inspector.contains(document.activeElement) ? document.activeElement.textContent : null;
      inspect();
      if (pressed !== null) (inspector.querySelector("button") ?? plot.querySelector(".box"))?.focus();
    }
    undo.setAttribute("aria-disabled", String(!now.undoable));
    verdict.textContent = now.verdict;
    findings.replaceChildren(...listFindings(now.findings));
    findings.hidden = !now.findings.length;
    blast.textContent = now.blast;
    if (now.message && now.message !== speech.textContent + problem.textContent) announce(now.message, now.failed);
    speech.classList.toggle("mlsd-screen-reader", speech.textContent === now.blast); // it stands below, too
  });
}

export default { render };
