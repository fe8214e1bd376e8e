// The words: headline, violations, tables, plan.
const words = {
  linearizable: "Linearizable", eventual: "Eventually consistent", weak: "Weakly consistent", corrupt: "Corrupt",
};
const capWords = {
  CP: "CP: when partitioned it refused rather than answer wrongly",
  AP: "AP: when partitioned every side went on answering, and answers could be old",
  CA: "CA: consistent and available until it was partitioned, then neither",
  neither: "neither CP nor AP: when partitioned it was neither consistent nor available throughout",
};
// The strongest first.
const RUNGS = [
  "linearizable", "sequential", "causal-convergence", "causal", "weak-causal", "pram", "writes-follow-reads",
  "monotonic-writes", "monotonic-reads", "read-your-writes", "converged",
];
const plain = (name) => name.replace(/-/g, " ");
const percent = (part) => (part === null || part === undefined ? "-" : `${(part * 100).toFixed(1)} %`);
const ms = (value) => (value === null || value === undefined ? "-" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);
const place = (id) => document.getElementById(id);
// A rung, verdict or the like is a word, or an object that carries more.
const answer = (value) => (typeof value === "string" ? value : value && (value.verdict || Object.keys(value)[0])) || "unknown";

function table(head, rows, numbers = []) {
  const cell = (tag) => (text, at) => element(tag, numbers.includes(at) ? { class: "number" } : {}, text);
  return element("div", { class: "wide" }, element("table", {},
    element("thead", {}, element("tr", {}, head.map(cell("th")))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map(cell("td")))))));
}

function headline() {
  const box = place("headline"), state = answer(verdict.verdict);
  const found = verdict.class ? words[verdict.class]
    : verdict.class_at_least ? `At least ${words[verdict.class_at_least].toLowerCase()}, at most ${words[verdict.class_at_most].toLowerCase()}`
      : (verdict.strongest || []).length ? `Up to ${verdict.strongest.map(plain).join(", ")}` : "Not known";
  box.append(element("p", { class: "soft" }, `splitbrain report  ·  ${data.target || "a history"}${data.started ? `  ·  ${data.started}` : ""}`));
  box.append(element("h1", {}, found));
  const because = state === "valid" ? `No anomaly was found in this history; ${verdict.expect} was expected.`
    : state === "invalid" ? `Not what was expected (${verdict.expect}).`
      : `Whether it is ${verdict.expect} cannot be told: ${verdict.reason || "no reason is given"}.`;
  box.append(element("p", {}, because));
  const cap = verdict.cap ? capWords[verdict.cap] : verdict.cap_reason ? `CAP is not decided: ${verdict.cap_reason}` : "CAP: there was no partition";
  const badges = [
    element("span", { class: `badge ${state}` }, state),
    element("span", { class: "badge" }, cap),
    ...verdict.violations.map((one) => element("span", { class: "badge invalid" }, `${plain(one.name)} ×${one.count}`)),
  ];
  box.append(element("div", { class: "badges" }, badges));
  const kinds = { o: 0, f: 0, i: 0 };
  for (const kind of ops.kind) kinds[kind]++;
  const nodes = data.nodes.length ? `${data.nodes.length} nodes, ` : "";
  const seed = verdict.seed === null || verdict.seed === undefined ? "" : `, seed ${verdict.seed}`;
  box.append(element("p", { class: "soft" },
    `${nodes}${verdict.operations} operations in ${seconds(end, 1)}: ${kinds.o} ok, ${kinds.f} fail, ${kinds.i} info${seed}`));
  if (verdict.profile) box.append(element("p", {}, `${verdict.profile.sentence}.`));
  for (const remark of verdict.remarks || []) box.append(element("p", { class: "soft" }, `note: ${remark}`));
  if (data.shortened) box.append(element("p", { class: "soft" }, data.shortened));
}

// Where nothing explains an answer: what can be the case before it, and that it is none of these.
function attempts(reached) {
  const name = (index) => {
    const i = ops.at.get(index);
    return i === undefined ? `#${index}` : `#${index} (${callOf(i)})`;
  };
  const way = ({ holds, to_come: open }) => {
    const still = open.length ? `; ${open.map(name).join(", ")} still to take effect` : "";
    return element("li", {}, `it holds ${show(holds)}${still}`);
  };
  const ways = reached.configurations.map(way);
  const parts = [
    element("p", {}, `Everything before can be explained in ${ways.length === 1 ? "one way" : `${ways.length} ways`}, nothing explains the answer of ${name(reached.unexplained)}. Just before it:`),
    element("ol", {}, ways)];
  if (reached.steps.length) {
    const row = (one) => element("tr", {},
      element("td", {}, name(one.answered)), element("td", {}, element("ul", {}, one.configurations.map(way))));
    const last = element("tr", {},
      element("td", {}, name(reached.unexplained)), element("td", { class: "invalid" }, "nothing: each way above was tried, and none gives this answer"));
    parts.push(element("details", {}, element("summary", {}, "the attempts, step by step"),
      element("div", { class: "wide" }, element("table", {},
        element("tr", {}, element("th", {}, "after the answer of"), element("th", {}, "what can be the case")),
        reached.steps.map(row), last))));
  }
  return element("div", {}, parts);
}

function violations() {
  const box = place("violations");
  if (!verdict.violations.length) return;
  box.append(element("h2", {}, "What was violated"));
  verdict.violations.forEach((one, at) => {
    const key = one.key === null || one.key === undefined ? "" : `, smallest instance on key ${one.key}`;
    const card = element("div", { class: "card" },
      element("h3", {}, `${plain(one.name)}, ${one.count} time${one.count === 1 ? "" : "s"}${key}`));
    if (data.drawings[at]) {
      const drawing = element("div", { class: "wide" });
      drawing.innerHTML = data.drawings[at];
      card.append(drawing);
    } else card.append(element("ol", {}, one.because.map((why) => element("li", {}, why))));
    if (one.reached) card.append(attempts(one.reached));
    if (one.witness.some((index) => ops.at.has(index))) {
      const button = element("button", { type: "button" }, `show its ${one.witness.length} operations`);
      button.addEventListener("click", () => {
        showWitness(one);
        place("operations").scrollIntoView({ behavior: "smooth" });
      });
      card.append(button);
    }
    box.append(card);
  });
}

// What was measured, in words with the figures that they stand on.
function profile(box) {
  if (!verdict.profile) return;
  const { columns, table: rows } = verdict.profile;
  const cell = ({ word, because }) =>
    element("div", {}, element("b", {}, word === null ? "not decided" : word), element("div", { class: "soft" }, because));
  box.append(element("h2", {}, "What was measured"));
  const nodes = (column) => (column.nodes.length ? `${column.name} (${column.nodes.join(" ")})` : column.name);
  box.append(table(["", ...columns.map(nodes)], rows.map((row) => [row.dimension, ...row.cells.map(cell)])));
}

// What it cost to lose a primary.
function failover(box) {
  const told = verdict.failover;
  if (!told) return;
  box.append(element("h2", {}, "Fail-over"));
  if (told.faults.length) {
    const rows = told.faults.map((one) => [
      one.name, one.primary.join(" "), seconds(one.at_s * 1e3), ms(one.rto_ms),
      one.sides.map((side) => `${side.nodes.join(" ")}: ${ms(side.rto_ms)}`).join("; "),
      String(one.loss.lost_once ?? "-"), String(one.loss.lost_at_least ?? "-"),
    ]);
    box.append(table(["fault", "primary", "at", "RTO", "RTO of each side", "lost for certain", "lost at least"], rows, [2, 3, 5, 6]));
  }
  if (told.reason) box.append(element("p", { class: "soft" }, told.reason));
  for (const split of told.split_brain)
    box.append(element("p", {},
      `split brain during ${split.name}: ${split.sides.map((side) => side.join(" ")).join(" and ")} took writes at once, for ${ms(split.for_ms)} at least`));
}

function tables() {
  const box = place("tables");
  const strength = (rung) => RUNGS.indexOf(rung) + 1 || RUNGS.length + 1;
  const rungs = Object.entries(verdict.ladder || {}).sort(([a], [b]) => strength(a) - strength(b));
  if (rungs.length) {
    box.append(element("h2", {}, "Consistency"));
    const shownBy = (rung) => verdict.violations.find((one) => (one.rules_out || []).includes(rung));
    const why = (rung) => (verdict.ladder_reasons || {})[rung] || (shownBy(rung) ? `see ${plain(shownBy(rung).name)}` : "");
    const strongest = (rung) => ((verdict.strongest || []).includes(rung) ? "the strongest that holds" : "");
    box.append(table(["model", "answer", ""], rungs.map(([rung, value]) => [
      plain(rung), element("span", { class: answer(value) }, answer(value)), why(rung) || strongest(rung),
    ])));
    box.append(element("p", { class: "hint" }, "valid means: no anomaly was found in this history."));
  }
  profile(box);
  failover(box);
  const windows = verdict.cap_windows || [];
  if (windows.length) {
    box.append(element("h2", {}, "While partitioned"));
    const rows = windows.flatMap((window) => window.sides.map((side) => [
      window.name, `${side.nodes.join(" ")}${side.leader ? ", leader" : ""}`, percent(side.read_success), percent(side.write_success),
      window.not_judged ? `not judged: ${window.not_judged}` : "",
    ]));
    box.append(table(["cut", "side", "reads", "writes", ""], rows, [2, 3]));
  }
  if (verdict.faults.length) {
    box.append(element("h2", {}, "Faults"));
    const rows = verdict.faults.map((fault) => [
      String(fault.id), fault.name, fault.effect + (fault.reason ? `: ${fault.reason}` : ""),
      ms(fault.decided_to_in_force_ms), ms(fault.active_ms), ms(fault.heal_decided_to_verified_ms),
    ]);
    box.append(table(["", "fault", "effect", "in force after", "for", "healed after"], rows, [3, 4, 5]));
  }
}

function plan() {
  const box = place("plan");
  if (data.commands.length) {
    box.append(element("h2", {}, "Do it again"));
    box.append(table(["", ""], data.commands.map(([what, command]) => [what, element("code", {}, command)])));
  }
  const versions = Object.entries(data.versions || {});
  if (versions.length) {
    box.append(element("h2", {}, "Versions"));
    box.append(table(["", ""], versions));
  }
  if (data.plan && Object.keys(data.plan).length)
    box.append(element("details", {}, element("summary", {}, "the plan"), element("pre", {}, JSON.stringify(data.plan, null, 2))));
  box.append(element("details", {}, element("summary", {}, "the verdict"), element("pre", {}, JSON.stringify(verdict, null, 2))));
}

headline();
violations();
tables();
plan();
place("footer").textContent = `made by splitbrain ${data.program}, from the history alone`;
redraw();
