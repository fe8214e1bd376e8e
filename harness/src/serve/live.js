let source = null;
let redraw = () => {};

function stopLive() {
  if (source) source.close();
  source = null;
}

// Another width, or another of light and dark.
window.addEventListener("resize", () => redraw());
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());

function live(id) {
  show("live");
  const canvas = el("canvas", { role: "img", "aria-label": "operations a second by outcome" });
  const facts = el("div", { class: "facts" });
  const legend = el("div", { class: "legend" }, [["ok", "ok"], ["fail", "refused or failed"], ["info", "unknown outcome"]].map(([name, words]) =>
    el("span", {}, el("i", { class: `swatch-${name}` }), words)));
  byId("live").replaceChildren(el("h2", {}, id), facts, legend, canvas, el("p", { id: "live-end", class: "hint" }, "The run is going."));
  const seconds = new Map();
  redraw = () => bars(canvas, seconds);
  source = new EventSource(`api/live/${id}`);
  source.onmessage = (message) => {
    const news = JSON.parse(message.data);
    for (const [second, ...counts] of news.seconds) seconds.set(second, counts);
    redraw();
    tell(facts, news, seconds);
    if (news.over) {
      stopLive();
      byId("live-end").replaceChildren("The run is over: ", el("a", { href: `runs/${id}/report` }, "its report"));
    }
  };
  source.onerror = () => { if (source && source.readyState === EventSource.CLOSED) byId("live-end").textContent = "There is nothing more to follow."; };
}

function tell(facts, news, seconds) {
  const total = [...seconds.values()].flat().reduce((sum, count) => sum + count, 0);
  const fact = (name, text, kind) => el("span", { class: kind ?? null }, `${name} `, el("b", {}, text));
  const violation = news.violation ? `certain at line ${news.violation.line}${news.violation.key ? `, key ${news.violation.key}` : ""}` : "none so far";
  facts.replaceChildren(
    fact("at", `${news.at_s.toFixed(1)} s`), fact("phase", news.phase || "-"), fact("operations", total),
    fact("faults in force", news.faults.join(", ") || "none"), fact("leader", (news.leader ?? []).join(", ") || "-"),
    fact("violation of linearizability", violation, news.violation ? "invalid" : "valid"));
}

// A bar for each second: what succeeded at the bottom, then what failed, then what nobody knows.
function bars(canvas, seconds) {
  if (!canvas.clientWidth) return;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
  canvas.width = width;
  canvas.height = height;
  const style = getComputedStyle(document.documentElement);
  const colours = ["--ok", "--fail", "--info"].map((name) => style.getPropertyValue(name));
  const draw = canvas.getContext("2d");
  const last = Math.max(10, ...seconds.keys()) + 1;
  const most = Math.max(1, ...[...seconds.values()].map((counts) => counts.reduce((sum, count) => sum + count, 0)));
  const foot = height - 18 * ratio;
  for (const [second, counts] of seconds) {
    let y = foot;
    counts.forEach((count, kind) => {
      const tall = ((foot - 14 * ratio) * count) / most;
      draw.fillStyle = colours[kind];
      draw.fillRect((width * second) / last, y - tall, Math.max(1, width / last - ratio), tall);
      y -= tall;
    });
  }
  draw.fillStyle = style.getPropertyValue("--soft");
  draw.font = `${11 * ratio}px system-ui, sans-serif`;
  draw.fillText(`${most} a second`, 0, 11 * ratio);
  draw.fillText("0 s", 0, height - 3 * ratio);
  draw.textAlign = "right";
  draw.fillText(`${last} s`, width, height - 3 * ratio);
}
