// What is compared, each with how it is read from a verdict.
function facts(verdict) {
  const main = verdict.profile.stretches.find((stretch) => stretch.name === "main")?.sides[0];
  const rto = verdict.failover.rto_ms;
  const stale = verdict.profile.staleness;
  return [
    ["verdict", `${verdict.verdict} (${verdict.expect} was expected)`],
    ["class", verdict.class ?? "-"],
    ["CAP", verdict.cap ?? verdict.cap_reason ?? "-"],
    ["strongest that holds", verdict.strongest.join(", ")],
    ["violations", verdict.violations.map((one) => `${one.name} x${one.count}`).join(", ") || "none"],
    ["operations", verdict.operations],
    ["answered in the main phase", percent(main?.success)],
    ["p50", time(main?.latency_ms?.p50)],
    ["p99", time(main?.latency_ms?.p99)],
    ["RTO, median and most", rto ? `${time(rto.p50)}, ${time(rto.max)}` : "-"],
    ["writes lost", typeof verdict.failover.loss?.lost_once === "number" ? `${verdict.failover.loss.lost_once} of ${verdict.failover.loss.written_once}` : "-"],
    ["stale reads", stale ? `${stale.stale} of ${stale.reads}` : "-"],
    ["faults", verdict.faults.map((fault) => `${fault.name} ${fault.effect}`).join(", ") || "none"],
    ["seed", verdict.seed ?? "-"],
    ["check took", time(verdict.check_ms)],
    ...Object.entries(verdict.ladder).map(([rung, answer]) => [rung, answer]),
  ];
}

async function compare(one, other) {
  show("side-by-side");
  const ids = [one, other];
  const verdicts = await Promise.all(ids.map((id) => fetchJson(`runs/${id}/verdict.json`)));
  const [left, right] = verdicts.map((verdict) => new Map(facts(verdict)));
  const names = [...new Set([...left.keys(), ...right.keys()])];
  const line = (name) => {
    const texts = [left, right].map((side) => String(side.get(name) ?? "-"));
    const differs = texts[0] !== texts[1];
    return el("tr", {}, el("td", {}, name), texts.map((text) => el("td", { class: differs && "differs" }, text)));
  };
  const head = ids.map((id) => el("th", {}, el("a", { href: `runs/${id}/report` }, id)));
  byId("side-by-side").replaceChildren(el("h2", {}, "Side by side"), el("p", { class: "hint" }, "Shaded: where the two differ."),
    el("div", { class: "wide" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, ""), head)), el("tbody", {}, names.map(line)))));
}
