// What widgets share: elements, labelled sliders and fields, live regions, tables, pictures, and views that open.
// Python puts this file before the widget's own file, which makes one plain ES module.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const h = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, name), attributes, children);

let count = 0;
const page = Math.random().toString(36).slice(2, 8); // two widgets on a page share no id
const unique = (stem) => `mlsd-${stem}-${page}-${(count += 1)}`;

// The frame of a view. Shift+Enter, Ctrl+Enter and Alt+Enter belong to the notebook: the focus goes to the cell, and the
// key with it, so that it runs the cell and goes on as elsewhere in JupyterLab. So does Escape, unless a control used it.
function box(kind, ...children) {
  const node = h("section", { class: `mlsd mlsd-${kind}` }, ...children);
  const cell = () => node.closest(".jp-Cell");
  const leave = (event) => {
    event.preventDefault();
    event.stopPropagation();
    cell().focus({ preventScroll: true });
  };
  node.addEventListener("keydown", (event) => {
    const runs = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
    if (!runs || !cell()) return;
    leave(event);
    const { key, code, keyCode, shiftKey, ctrlKey, metaKey, altKey } = event;
    const again = { key, code, keyCode, shiftKey, ctrlKey, metaKey, altKey, bubbles: true, cancelable: true };
    cell().dispatchEvent(new KeyboardEvent("keydown", again));
  }, true); // before a control takes Enter for its own
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && cell()) leave(event);
  });
  return node;
}

// The frame of a view that needs its kernel: it says so when the kernel is gone.
function alive(model, kind, ...children) {
  const gone = h("div", { role: "alert", class: "mlsd-gone" });
  model.on("comm_live_update", () => {
    gone.textContent = "The kernel of this view is gone, and it no longer answers. Run this cell again.";
  });
  return box(kind, gone, ...children);
}

// A control keeps its keys: on a focused element with this mark JupyterLab runs none of its shortcuts, which
// would take Enter from a button and the arrows from a slider.
const OWN_KEYS = { "data-lm-suppress-shortcuts": "true" };

// A button, and Enter in any of the inputs that belong to it.
function button(text, act, inputs = []) {
  const node = h("button", { type: "button", class: "mlsd-button", ...OWN_KEYS }, text);
  node.addEventListener("click", act);
  for (const input of inputs) {
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      act();
    });
  }
  return node;
}

// A line that screen readers read out when its text changes. It has to be on the page before it has a text.
const liveRegion = (attributes = {}) => h("div", { role: "status", "aria-live": "polite", ...attributes });

// Returns what sets the text of a live region once no newer text has come for a while, so that screen readers do
// not read out every step of a slider.
function debounced(node, milliseconds = 700) {
  let waiting;
  return (text) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => (node.textContent = text), milliseconds);
  };
}

function numberField({ name, unit, describedBy }) {
  const id = unique("field");
  const input = h("input", {
    id, type: "text", inputmode: "decimal", autocomplete: "off", class: "mlsd-number",
    "aria-describedby": describedBy ?? null, ...OWN_KEYS,
  });
  const label = h("label", { for: id, class: "mlsd-label" }, name);
  return { label, input, unit: h("span", { class: "mlsd-unit" }, unit) };
}

// A radio button or a checkbox, before its label.
function option(type, name, value, ...label) {
  const id = unique(type);
  const input = h("input", { id, type, name, value, ...OWN_KEYS });
  return { input, value, node: h("div", { class: "mlsd-option" }, input, h("label", { for: id }, ...label)) };
}
const chosen = (options) => options.find((one) => one.input.checked)?.value ?? "";

// A field or a list to choose from, below its label.
function labelled(tag, name, attributes, ...children) {
  const id = unique(tag);
  const input = h(tag, { id, ...attributes, ...OWN_KEYS }, ...children);
  return { input, node: h("div", { class: "mlsd-field" }, h("label", { for: id }, name), input) };
}

// A scale has the value at each position of a slider. Logarithmic values are round to two digits.
const linear = (low, high, step) => ({
  last: Math.round((high - low) / step),
  value: (position) => Number((low + position * step).toPrecision(12)),
  position: (value) => Math.round((value - low) / step),
});
const logarithmic = (low, high, perDecade) => ({
  last: Math.round(Math.log10(high / low) * perDecade),
  value: (position) => Number((low * 10 ** (position / perDecade)).toPrecision(2)),
  position: (value) => Math.round(Math.log10(value / low) * perDecade),
});

// A native range with its label, its value in words, and the same words for a screen reader.
function slider({ name, scale, format, onMove }) {
  const id = unique("slider");
  const input = h("input", { id, type: "range", min: 0, max: scale.last, step: 1, ...OWN_KEYS });
  const shown = h("span", { class: "mlsd-value" });
  const put = (value) => {
    shown.textContent = format(value);
    input.setAttribute("aria-valuetext", format(value));
  };
  input.addEventListener("input", () => {
    const value = scale.value(Number(input.value));
    put(value);
    onMove(value);
  });
  const show = (value) => {
    if (scale.value(Number(input.value)) !== value) input.value = scale.position(value);
    put(value);
  };
  const label = h("label", { for: id, class: "mlsd-label" }, name);
  return { node: h("div", { class: "mlsd-slider" }, label, shown, input), show, input };
}

const digits = (number) =>
  Math.abs(number) >= 1000
    ? Math.round(number).toLocaleString("en-GB")
    : String(Number(number.toPrecision(3)));

function showSeconds(seconds) {
  if (seconds >= 1) return `${digits(seconds)} s`;
  return `${digits(seconds * 1e3)} ms`;
}

// Show a verdict. Leave the elements as they are while it stays the same, so that it is read out once.
function showVerdict(node, verdict) {
  const lines = verdict.headline ? [verdict.headline, ...verdict.reasons] : [];
  if (lines.join("\n") === node.dataset.shown) return;
  node.dataset.shown = lines.join("\n");
  node.replaceChildren(...lines.map((line, i) => h("p", { class: i === 0 ? "mlsd-headline" : "mlsd-reason" }, line)));
}

// Follow traits for as long as the view lives; returns what anywidget calls when it ends.
function follow(model, traits, react) {
  const names = traits.map((trait) => `change:${trait}`);
  for (const name of names) model.on(name, react);
  react();
  return () => names.forEach((name) => model.off(name, react));
}

// Fill a table; the first cell of a row names it unless `named` is false. A column may have no name.
function setTable(place, { columns, rows }, { caption = null, named = true } = {}) {
  const head = columns.map((name) => (name ? h("th", { scope: "col" }, name) : h("td")));
  const whole = (text) => String(text).replace(/(\d) (?=\S)/g, "$1\u00a0"); // a number and its unit stay on a line
  const cell = (text, i) => (named && i === 0 ? h("th", { scope: "row" }, text) : h("td", {}, whole(text)));
  place.replaceChildren(
    ...(caption ? [h("caption", { class: "mlsd-screen-reader" }, caption)] : []),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
}

// Parts of a view. Each has a node, and fills it with what Python has shown under a name.
function line(name, css) {
  const node = h("p", { class: css });
  return { node, show: (shown) => (node.textContent = shown[name]) };
}
// What scrolls sideways where it is too wide. The keyboard reaches it only then.
function sideways(inner) {
  const node = h("div", { class: "mlsd-sideways" }, inner);
  new ResizeObserver(() => {
    if (node.scrollWidth > node.clientWidth) fill(node, { tabindex: 0, role: "group", "aria-label": "Scrolls sideways" }, []);
    else for (const name of ["tabindex", "role", "aria-label"]) node.removeAttribute(name);
  }).observe(node);
  return node;
}
function grid(name, options = {}) {
  const table = h("table", { class: `mlsd-table mlsd-${name}` });
  const node = sideways(table);
  return { node, show: (shown) => setTable(table, shown[name], options) };
}

// A picture that Python has drawn, with `more` elements on top. The ids in it get a prefix, so that they differ from
// those of other pictures on the page. In a narrow or zoomed window it scrolls sideways: a picture that shrank with the
// window would make its text unreadable.
function picture(...more) {
  const body = svg("g"), prefix = unique("picture");
  const plot = svg("svg", { class: "mlsd-plot", role: "img" }, body, ...more);
  const show = ({ picture: { body: drawn, size, alt } }) => {
    plot.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
    plot.style.minWidth = `${0.85 * size[0]}px`;
    plot.setAttribute("aria-label", alt);
    body.innerHTML = drawn.replace(/( id="|#)mlsd-id-/g, `$1${prefix}-`);
  };
  return { node: sideways(plot), plot, show };
}

// Where a pointer is in a picture's own units.
function within(picture, event) {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
  return [at.x, at.y];
}

// What sets a trait for the learner, and remembers that something was moved.
function mover(model) {
  const move = (trait, value) => {
    move.used = true;
    model.set(trait, value);
    model.save_changes();
  };
  return move;
}

// A slider for each [trait, name, scale, words for a value].
const sliders = (rows, move) => rows.map(([trait, name, scale, format]) => (
  { trait, ...slider({ name, scale, format, onMove: (value) => move(trait, value) }) }
));

const panel = (controls) => h("div", { class: "mlsd-controls" }, ...controls.map((control) => control.node));

// A view that a prediction keeps closed: put it on the page with its title. Returns a function that shows the view or
// what stands in its place, and returns whether it is open.
function closable({ model, el }, kind, view, ...more) {
  const closed = h("p", { class: "mlsd-locked" }, model.get("closed"));
  el.append(alive(model, kind, h("p", { class: "mlsd-kind" }, model.get("title")), closed, view, ...more));
  return () => {
    const ready = model.get("ready");
    [closed.hidden, view.hidden] = [ready, !ready];
    return ready;
  };
}

// A view that follows from controls, which show the values of their traits. A part is an element, or has a node and
// shows what Python has shown; `show` does the rest. The verdict is read out after the learner has moved something.
function explorable({ model, el }, { kind, controls, move, parts, show = () => {} }) {
  const speech = liveRegion({ class: "mlsd-screen-reader" });
  const announce = debounced(speech);
  const view = h("div", {}, ...parts.map((part) => part.node ?? part));
  const open = closable({ model, el }, kind, view, speech);

  return follow(model, ["ready", "shown", ...controls.map((control) => control.trait)], () => {
    const shown = model.get("shown");
    if (!open() || !shown.verdict) return;
    for (const control of controls) control.show(model.get(control.trait));
    for (const part of parts) if (part.node) part.show?.(shown);
    show(shown);
    if (move.used) announce(shown.verdict);
  });
}
