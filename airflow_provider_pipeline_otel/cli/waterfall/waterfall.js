"use strict";
// Only rows in view are in the document: a trace of 10,000 spans costs as much as one of 50.
const HEIGHT = 24, AROUND = 12, INDENT = 14;
const traces = JSON.parse(document.getElementById("traces").textContent);
const at = (id) => document.getElementById(id);
const rows = at("rows"), room = at("room"), details = at("details"), search = at("search");
const SIGNS = { OK: "✔", ERROR: "✘", UNSET: "○", OPEN: "…" };
const KINDS = { OK: "ok", ERROR: "error", UNSET: "unset", OPEN: "open" };
const WORDS = { OK: "well", ERROR: "failed", UNSET: "neither well nor failed", OPEN: "still going on" };

let trace, spans, shown, folded, chosen, view, failuresOnly = false, words = "", hits = new Set();

function make(tag, properties = {}, ...children) {
  const { style, data, ...plain } = properties;
  const element = Object.assign(document.createElement(tag), plain);
  if (style) Object.assign(element.style, style);
  for (const [name, value] of Object.entries(data || {})) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function open(index) {
  trace = traces[index];
  spans = trace.spans;
  const above = [];
  spans.forEach((span, i) => {
    above.length = span.depth;
    span.parent = span.depth ? above[span.depth - 1] : -1;
    span.isParent = i + 1 < spans.length && spans[i + 1].depth > span.depth;
    above.push(i);
  });
  folded = new Set();
  chosen = -1;
  view = [0, Math.max(trace.length, 0.001)];
  details.hidden = true;
  head();
  filter();
}

function head() {
  const count = (status) => spans.filter((span) => span.status === status).length;
  const counts = { spans: spans.length, failed: count("ERROR"), open: count("OPEN") };
  at("title").replaceChildren(trace.dag || "trace", " ", make("small", {}, trace.run));
  document.title = `${trace.dag} ${trace.run}`.trim() || "pipeline-otel";
  const facts = [
    [trace.state || (trace.complete ? "" : "goes on, or its root is not here")],
    [trace.took], [new Date(trace.start).toLocaleString()],
    ...Object.entries(counts).filter(([name, n]) => n || name === "spans")
      .map(([name, n]) => [n.toLocaleString(), name]),
    ["", `trace ${trace.id}`],
  ].filter((fact) => fact.some(Boolean));
  at("facts").replaceChildren(...facts.flatMap(([bold, rest], i) => [
    i ? " · " : "", make("b", {}, bold), rest ? ` ${rest}`.replace(/^ /, bold ? " " : "") : "",
  ]));
}

function text(span) {
  if (span.text === undefined) {
    const values = Object.entries(span.attributes).map(([name, value]) => `${name}=${value}`);
    span.text = [span.name, span.label, span.id, ...span.notes.map(([note]) => note), ...values]
      .join("\n").toLowerCase();
  }
  return span.text;
}

function filter() {
  const isHit = (span) =>
    (!words || text(span).includes(words)) && (!failuresOnly || span.status === "ERROR");
  hits = new Set();
  let wanted = null;
  if (words || failuresOnly) {
    wanted = new Set();
    spans.forEach((span, i) => {
      if (!isHit(span)) return;
      hits.add(i);
      for (let up = i; up >= 0 && !wanted.has(up); up = spans[up].parent) wanted.add(up);
    });
  }
  shown = [];
  let hidden = Infinity;  // the depth below which all is folded away
  spans.forEach((span, i) => {
    if (span.depth > hidden) return;
    hidden = folded.has(i) && !wanted ? span.depth : Infinity;
    if (!wanted || wanted.has(i)) shown.push(i);
  });
  at("found").textContent = wanted
    ? `${hits.size.toLocaleString()} of ${spans.length.toLocaleString()}` : "";
  rows.setAttribute("aria-rowcount", shown.length);
  room.style.height = `${shown.length * HEIGHT}px`;
  draw();
}

const percent = (time) => ((time - view[0]) / (view[1] - view[0])) * 100;

function bar(kind, start, length) {
  const left = Math.max(percent(start), -1), right = Math.min(percent(start + length), 101);
  if (right < 0 || left > 100) return "";
  return make("span", { className: `bar ${kind}`, style: { left: `${left}%`, width: `${right - left}%` } });
}

function marked(name) {
  const from = words ? name.toLowerCase().indexOf(words) : -1;
  if (from < 0) return [name];
  const to = from + words.length;
  return [name.slice(0, from), make("mark", {}, name.slice(from, to)), name.slice(to)];
}

function row(position) {
  const i = shown[position], span = spans[i], kind = KINDS[span.status];
  const notes = span.notes.map(([note, tone]) => make("span", { className: `note ${tone}` }, note));
  const said = [span.name, span.label, WORDS[span.status], span.took, ...span.notes.map(([note]) => note)];
  const hover = [...said.filter(Boolean), `from ${duration(span.start)} to ${duration(span.start + span.length)}`];
  const isFolded = folded.has(i);
  const element = make("div", {
    className: "row", id: `row-${i}`, title: hover.join(" · "), style: { top: `${position * HEIGHT}px` },
    data: {
      role: "row", "aria-level": span.depth + 1, "aria-rowindex": position + 1,
      "aria-selected": i === chosen, "aria-label": said.filter(Boolean).join(", "),
      ...(span.isParent ? { "aria-expanded": !isFolded } : {}),
    },
  },
  make("span", { className: "name", data: { role: "gridcell" }, style: { paddingLeft: `${6 + span.depth * INDENT}px` } },
    make("span", { className: "fold", data: { "aria-hidden": true } }, span.isParent ? (isFolded ? "▸" : "▾") : ""),
    make("span", { className: `sign ${kind}`, data: { "aria-hidden": true } }, SIGNS[span.status]),
    make("span", { className: "text" }, ...marked(span.name)),
    span.label ? make("span", { className: "label" }, span.label) : "",
    make("span", { className: "notes" }, ...notes),
    make("span", { className: "took" }, span.took)),
  make("span", { className: "time", data: { role: "gridcell", "aria-hidden": true } },
    span.waited ? bar("wait", span.start - span.waited, span.waited) : "",
    bar(kind, span.start, span.length),
    ...span.events.map((event) => make("span", { className: "event", title: event.name, style: { left: `${percent(event.at)}%` } }))));
  return element;
}

function draw() {
  const first = Math.max(Math.floor(rows.scrollTop / HEIGHT) - AROUND, 0);
  const last = Math.min(Math.ceil((rows.scrollTop + rows.clientHeight) / HEIGHT) + AROUND, shown.length);
  const drawn = [];
  for (let position = first; position < last; position += 1) drawn.push(row(position));
  room.replaceChildren(...drawn);
  const active = at(`row-${chosen}`);
  if (active) rows.setAttribute("aria-activedescendant", active.id);
  else rows.removeAttribute("aria-activedescendant");
  at("top").style.paddingRight = `${rows.offsetWidth - rows.clientWidth}px`;  // as wide as the rows
  ticks();
}

function duration(milliseconds) {
  if (!milliseconds) return "0";
  if (Math.abs(milliseconds) < 1) return `${+(milliseconds * 1000).toFixed(1)} µs`;
  if (Math.abs(milliseconds) < 1000) return `${+milliseconds.toFixed(1)} ms`;
  const total = milliseconds / 1000;
  if (total < 60) return `${+total.toFixed(2)} s`;
  const rest = (n) => String(Math.floor(n)).padStart(2, "0");
  const hours = Math.floor(total / 3600), minutes = (total % 3600) / 60;
  return hours ? `${hours}:${rest(minutes)}:${rest(total % 60)}` : `${Math.floor(minutes)}:${rest(total % 60)}`;
}

function ticks() {
  const length = view[1] - view[0], rough = length / 6;
  const units = [1, 2, 5].map((n) => n * 10 ** Math.floor(Math.log10(rough)));
  const minutes = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].map((s) => s * 1000);
  const step = (rough >= 7000 ? minutes : units).find((n) => n >= rough) || units[0] * 10;
  const found = [];
  for (let n = Math.ceil(view[0] / step); n * step <= view[1]; n += 1) {
    found.push(make("span", { style: { left: `${percent(n * step)}%` } }, duration(n * step)));
  }
  at("ticks").replaceChildren(...found);
}

function choose(i, { scroll = true } = {}) {
  chosen = i;
  const top = shown.indexOf(i) * HEIGHT;
  if (scroll && top < rows.scrollTop) rows.scrollTop = top;
  if (scroll && top + HEIGHT > rows.scrollTop + rows.clientHeight) rows.scrollTop = top + HEIGHT - rows.clientHeight;
  draw();
  if (!details.hidden) tell();
}

function reveal(i) {
  for (let up = spans[i].parent; up >= 0; up = spans[up].parent) folded.delete(up);
  if ((words || failuresOnly) && !hits.has(i)) { search.value = words = ""; press(false); }
  filter();
  choose(i);
}
