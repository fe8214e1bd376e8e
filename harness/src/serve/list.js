let runs = [];
const chosen = new Set();

const COLUMNS = ["", "began (UTC)", "target", "workload", "verdict", "class", "CAP", "what was found", "answered", "p99", "RTO", "operations", "seed", "files"];

const classOf = (run) => run.class ?? (run.class_at_least ? `at least ${run.class_at_least}` : "-");

function matches(run) {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = [run.target, run.workload, run.class, run.cap, run.seed, run.reason, run.name, ...run.violations].join(" ").toLowerCase();
  const verdict = byId("verdict").value;
  const target = byId("target").value;
  return words.every((word) => text.includes(word)) && (!verdict || stateOf(run) === verdict) && (!target || run.target === target);
}

function row(run) {
  const id = `${run.family}/${run.name}`;
  const pick = el("input", { type: "checkbox", "aria-label": `compare ${id}`, on: { change: (event) => choose(id, event.target.checked) } });
  pick.checked = chosen.has(id);
  const began = run.started.replace("T", " ").replace(/(\.\d+)?Z$/, "");
  const found = run.violations.join(", ") || run.reason || "";
  const link = run.open ? el("a", { href: `#live/${id}` }, began) : el("a", { href: runUrl(run, "report") }, began);
  const files = ["verdict.json", "plan.json", "history.jsonl"].flatMap((file) => [el("a", { href: runUrl(run, file) }, file.split(".")[0]), " "]);
  return el("tr", {},
    el("td", {}, pick), el("td", {}, link), el("td", { class: "text" }, run.target), el("td", {}, run.workload),
    el("td", {}, badge(stateOf(run))), el("td", {}, classOf(run)), el("td", {}, run.cap ?? "-"),
    el("td", { class: "text" }, found),
    el("td", { class: "number" }, percent(run.success)), el("td", { class: "number" }, time(run.p99_ms)),
    el("td", { class: "number" }, time(run.rto_ms)), el("td", { class: "number" }, run.operations ?? "-"),
    el("td", { class: "number" }, run.seed ?? "-"), el("td", {}, files));
}

function choose(id, on) {
  if (on) chosen.add(id); else chosen.delete(id);
  byId("compare").disabled = chosen.size !== 2;
}

// One line of classes and one of shares, the oldest run on the left.
function sparkline(runs) {
  // A line needs two ends.
  const of = runs.length === 1 ? [...runs, ...runs] : runs;
  const at = (index) => (100 * index) / (of.length - 1);
  const line = (name, value) => {
    const points = of.map((run, index) => [at(index), value(run)]).filter(([, y]) => y !== null && y >= 0);
    return el("polyline", { class: name, points: points.map(([x, y]) => `${x},${38 - 34 * y}`).join(" ") });
  };
  return el("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none", role: "img", "aria-label": "class and availability over time" },
    line("success", (run) => run.success), line("class", (run) => (run.class ? CLASSES.indexOf(run.class) / 3 : null)));
}

function targets() {
  const groups = new Map();
  for (const run of [...runs].reverse()) {
    const name = `${run.target} ${run.workload}`;
    groups.set(name, [...(groups.get(name) ?? []), run]);
  }
  const card = ([name, of]) => {
    const last = [...of].reverse().find((run) => run.class) ?? of.at(-1);
    const filter = () => { byId("target").value = last.target; draw(); };
    return el("div", { class: "card", on: { click: filter } }, el("b", {}, name),
      el("div", { class: "soft" }, `${of.length} ${of.length === 1 ? "run" : "runs"}, last: ${classOf(last)}, ${percent(last.success)} answered`), sparkline(of.slice(-60)));
  };
  byId("targets").replaceChildren(...[...groups].sort().map(card));
  const names = [...new Set(runs.map((run) => run.target))].sort();
  byId("target").replaceChildren(el("option", { value: "" }, "all"), ...names.map((name) => el("option", {}, name)));
}

function draw() {
  const shown = runs.filter(matches);
  byId("count").textContent = `${shown.length} of ${runs.length}`;
  document.querySelector("#runs tbody").replaceChildren(...shown.slice(0, 500).map(row));
}

async function list() {
  show("list");
  runs = (await fetchJson("api/runs")).runs;
  document.querySelector("#runs thead").replaceChildren(el("tr", {}, COLUMNS.map((name) => el("th", {}, name))));
  targets();
  draw();
}
