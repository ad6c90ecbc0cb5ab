// What is known of the chosen span.
function table(pairs) {
  const body = make("tbody");
  for (const [name, value] of pairs) {
    const plain = value instanceof Node ? value : typeof value === "object" ? JSON.stringify(value) : String(value);
    body.append(make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, plain)));
  }
  return make("table", {}, body);
}

function tell() {
  const span = spans[chosen];
  if (!span) { details.hidden = true; return; }
  const sorted = (object) => Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  const part = (title, pairs) => (pairs.length ? [make("h3", {}, title), table(pairs)] : []);
  const events = span.events.map(({ name, at: time, attributes }) => [`${name} at ${duration(time)}`, Object.keys(attributes).length ? attributes : ""]);
  const links = span.links.map(({ trace_id: id, span_id: to, ...attributes }) => {
    const index = id === trace.id ? spans.findIndex((other) => other.id === to) : -1;
    const target = index < 0 ? `trace ${id}, span ${to}`
      : make("button", { onclick: () => reveal(index) }, spans[index].name);
    return [attributes["airflow.link.type"] || "link", target];
  });
  details.hidden = false;
  details.replaceChildren(
    make("button", { className: "close", title: "Close (Esc)", onclick: close, data: { "aria-label": "Close details" } }, "✕"),
    make("h2", {}, [span.name, span.label].filter(Boolean).join(" ")),
    table([
      ["status", WORDS[span.status]], ["took", span.took],
      ["from", `${duration(span.start)}, ${new Date(trace.start + span.start).toISOString()}`],
      ["to", span.status === "OPEN" ? "goes on" : `${duration(span.start + span.length)}, ${new Date(trace.start + span.start + span.length).toISOString()}`],
      ["span", span.id], ...(span.notes.length ? [["notes", span.notes.map(([note]) => note).join(", ")]] : []),
    ]),
    ...part("Attributes", sorted(span.attributes)), ...part("Events", events), ...part("Links", links),
    ...part("Resource", sorted(trace.resources[span.resource])));
}

function close() { details.hidden = true; rows.focus(); draw(); }
