// Keys, pointer and buttons.
function press(on) { failuresOnly = on; at("errors").setAttribute("aria-pressed", on); }

function fold(i, on) { if (on) folded.add(i); else folded.delete(i); filter(); }

function foldAll(on) {
  folded = new Set(on ? spans.flatMap((span, i) => (span.isParent && span.depth > 0 ? [i] : [])) : []);
  filter();
}

function zoom(factor, middle = (view[0] + view[1]) / 2) {
  const length = Math.min(Math.max((view[1] - view[0]) * factor, 0.001), trace.length || 1);
  const from = middle - ((middle - view[0]) / (view[1] - view[0])) * length;
  look(from, from + length);
}

function look(from, to) {
  const length = to - from, start = Math.min(Math.max(from, 0), Math.max(trace.length - length, 0));
  view = [start, start + Math.max(length, 0.001)];
  draw();
}

function whole() { look(0, trace.length); }

function zoomToSpan() {
  const span = spans[chosen];
  if (span) look(span.start - span.length * 0.05, span.start + Math.max(span.length, 0.01) * 1.05);
}

function nextFailure() {
  const after = spans.findIndex((span, i) => i > chosen && span.status === "ERROR");
  const found = after < 0 ? spans.findIndex((span) => span.status === "ERROR") : after;
  if (found >= 0) reveal(found);
}

function move(by) {
  if (!shown.length) return;
  const from = shown.indexOf(chosen);
  choose(shown[Math.min(Math.max(from < 0 ? 0 : from + by, 0), shown.length - 1)]);
}

const page = () => Math.max(Math.floor(rows.clientHeight / HEIGHT) - 1, 1);
const KEYS = {
  ArrowDown: () => move(1), ArrowUp: () => move(-1), PageDown: () => move(page()), PageUp: () => move(-page()),
  Home: () => move(-Infinity), End: () => move(Infinity),
  ArrowRight: ({ shiftKey }) => {
    if (shiftKey) foldAll(false);
    else if (folded.has(chosen)) fold(chosen, false);
    else if (chosen >= 0 && spans[chosen].isParent) move(1);
  },
  ArrowLeft: ({ shiftKey }) => {
    if (shiftKey) foldAll(true);
    else if (chosen >= 0 && spans[chosen].isParent && !folded.has(chosen)) fold(chosen, true);
    else if (chosen >= 0 && spans[chosen].parent >= 0) choose(spans[chosen].parent);
  },
  Enter: () => tell(), " ": () => tell(),
};
const SHORTCUTS = {
  "/": () => search.focus(), e: nextFailure, z: zoomToSpan, 0: whole, "+": () => zoom(0.5), "=": () => zoom(0.5),
  "-": () => zoom(2), Escape: close,
};

rows.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key](event);
});
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === search) {
    if (event.key === "Escape" || event.key === "Enter") rows.focus();
    return;
  }
  if (event.target.tagName === "SELECT" || !(event.key in SHORTCUTS)) return;
  event.preventDefault();
  SHORTCUTS[event.key](event);
});
rows.addEventListener("click", (event) => {
  const element = event.target.closest(".row");
  if (!element) return;
  const i = Number(element.id.slice(4));
  if (event.target.classList.contains("fold") && spans[i].isParent) fold(i, !folded.has(i));
  else { choose(i, { scroll: false }); tell(); }
});
rows.addEventListener("dblclick", (event) => { if (event.target.closest(".time")) zoomToSpan(); });
rows.addEventListener("focus", () => { if (chosen < 0) move(0); });
rows.addEventListener("scroll", draw, { passive: true });
rows.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const box = at("ruler").getBoundingClientRect();
  zoom(event.deltaY < 0 ? 0.8 : 1.25, view[0] + ((event.clientX - box.left) / box.width) * (view[1] - view[0]));
}, { passive: false });
at("ruler").addEventListener("pointerdown", (event) => {
  const ruler = at("ruler"), choice = at("choice"), box = ruler.getBoundingClientRect();
  const place = (e) => Math.min(Math.max((e.clientX - box.left) / box.width, 0), 1);
  const from = place(event);
  ruler.setPointerCapture(event.pointerId);
  ruler.onpointermove = (e) => {
    const ends = [from, place(e)].sort((a, b) => a - b);
    choice.hidden = false;
    Object.assign(choice.style, { left: `${ends[0] * 100}%`, width: `${(ends[1] - ends[0]) * 100}%` });
  };
  ruler.onpointerup = ruler.onpointercancel = (e) => {
    const ends = [from, place(e)].sort((a, b) => a - b), length = view[1] - view[0];
    ruler.onpointermove = ruler.onpointerup = ruler.onpointercancel = null;
    choice.hidden = true;
    if (ends[1] - ends[0] > 0.005) look(view[0] + ends[0] * length, view[0] + ends[1] * length);
  };
});
search.addEventListener("input", () => { words = search.value.trim().toLowerCase(); rows.scrollTop = 0; filter(); });
at("errors").onclick = () => { press(!failuresOnly); rows.scrollTop = 0; filter(); };
at("unfold").onclick = () => foldAll(false);
at("fold").onclick = () => foldAll(true);
at("closer").onclick = () => zoom(0.5);
at("farther").onclick = () => zoom(2);
at("whole").onclick = whole;
at("runs").onchange = (event) => open(Number(event.target.value));
window.addEventListener("resize", draw);

at("runs").append(...traces.map((one, i) => make("option", { value: i }, `${one.dag} ${one.run}`.trim() || one.id)));
at("runs-label").hidden = traces.length < 2;
at("runs").value = traces.length - 1;
open(traces.length - 1);
