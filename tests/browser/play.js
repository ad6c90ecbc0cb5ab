{
  const found = {};
  const key = (name, more = {}) => {
    const how = { key: name, bubbles: true, cancelable: true, ...more };
    rows.dispatchEvent(new KeyboardEvent("keydown", how));
  };
  const names = () => [...room.querySelectorAll(".text")].map((element) => element.textContent);
  const press = (id) => document.getElementById(id).click();
  const type = (text) => { search.value = text; search.dispatchEvent(new Event("input")); };
  const count = () => document.getElementById("found").innerText;
  const chosenRow = () => document.getElementById(rows.getAttribute("aria-activedescendant"));
  const label = () => chosenRow().getAttribute("aria-label");
  const width = () => chosenRow().querySelector(".bar:not(.wait)").getBoundingClientRect().width;
  const scroll = (top) => {
    rows.scrollTop = top;
    rows.dispatchEvent(new Event("scroll"));  // without a screen there is no frame to fire it
  };
  const tell = (result) => {
    const textContent = JSON.stringify(result);
    document.body.append(Object.assign(document.createElement("pre"), { id: "result", textContent }));
  };

  const play = () => {
    const row = room.querySelector(".row");
    found.first = {
      names: names().slice(0, 3), count: room.children.length, total: rows.ariaRowCount,
      level: row.ariaLevel, expanded: row.ariaExpanded, label: row.ariaLabel,
    };
    found.head = document.querySelector("header").innerText;
    found.runs = [...document.querySelectorAll("#runs option")].map((one) => one.textContent);
    found.background = getComputedStyle(document.body).backgroundColor;

    scroll(1e9);
    found.last = names().at(-1);
    scroll(0);

    type("load_00077");
    found.search = [names(), count()];
    found.marked = room.querySelector("mark").textContent;
    type("secret-value");
    found.attribute = names();
    type("");
    press("errors");
    found.failures = count();
    press("errors");

    rows.focus();
    key("ArrowDown");
    found.down = label();
    key("ArrowLeft");
    found.folded = names().slice(0, 3);
    key("ArrowRight");
    found.unfolded = names().slice(0, 3);
    key("Enter");
    found.details = details.innerText;
    key("Escape");
    found.closed = details.hidden;
    found.focus = document.activeElement.id;
    key("ArrowLeft", { shiftKey: true });
    found.all_folded = rows.ariaRowCount;
    key("ArrowRight", { shiftKey: true });
    key("e");
    found.failed = label();
    const before = width();
    key("z");
    found.zoomed = width() / before;
    key("0");
    found.whole = width() / before;

    key("End");
    key("Enter");
    const link = details.querySelector("td button");
    found.link = link.innerText;
    link.click();
    found.jumped = label();
    found.scripts = document.scripts.length;
    found.title = document.title;
  };
  try {
    play();
    tell(found);
  } catch (error) {
    tell({ error: String(error.stack) });
  }
}
