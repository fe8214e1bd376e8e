// The charts above each other: latency, rates, success of each side, nodes, divergence.

// Bins of the time in view, with the operations in each.
function binned(pen, timeOf) {
  const count = Math.max(10, Math.floor(pen.inner / 6)), width = (view.to - view.from) / count;
  const bins = Array.from({ length: count }, () => []);
  for (let i = 0; i < ops.n; i++) {
    const at = Math.floor((timeOf(i) - view.from) / width);
    if (at >= 0 && at < count) bins[at].push(i);
  }
  return { bins, width, middle: (at) => view.from + (at + 0.5) * width };
}

function line(pen, points, y, style, dash = []) {
  const { context, x } = pen;
  context.strokeStyle = style;
  context.setLineDash(dash);
  context.lineWidth = 1.6;
  context.beginPath();
  let open = false;
  for (const [time, value] of points) {
    if (value === null) open = false;
    else if (open) context.lineTo(x(time), y(value));
    else {
      context.moveTo(x(time), y(value));
      // A point without neighbours is seen too.
      context.lineTo(x(time) + 1, y(value));
      open = true;
    }
  }
  context.stroke();
  context.setLineDash([]);
}

const latency = (i) => (ops.to[i] === Infinity ? data.op_timeout_ms : ops.to[i] - ops.due[i]);
const lowest = 0.1;
let highest = 10;
for (let i = 0; i < ops.n; i++) highest = Math.max(highest, latency(i));
const byLatency = (pen) => (ms) =>
  pen.bottom - (Math.log10(Math.max(ms, lowest) / lowest) / Math.log10((highest * 1.3) / lowest)) * (pen.bottom - 6);

function logLabels(pen) {
  const y = byLatency(pen), all = [];
  for (let ms = lowest; ms <= highest * 1.3; ms *= 10) {
    all.push([ms < 1000 ? `${ms < 1 ? ms.toFixed(1) : Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`, y(ms)]);
    pen.context.globalAlpha = 0.4;
    pen.context.fillStyle = color("line");
    pen.context.fillRect(LEFT, y(ms), pen.inner, 1);
    pen.context.globalAlpha = 1;
  }
  labels(pen, all);
}

function drawLatency(pen) {
  logLabels(pen);
  const y = byLatency(pen), { context, x } = pen;
  // Each pixel is painted once, however many operations lie on it.
  for (const kind of ["o", "i", "f"]) {
    context.fillStyle = color(KINDS[kind]);
    const painted = new Set();
    for (let i = 0; i < ops.n; i++) {
      if (ops.kind[i] !== kind || ops.due[i] < view.from || ops.due[i] > view.to) continue;
      const px = Math.round(x(ops.due[i])), py = Math.round(y(latency(i))), place = px * 4096 + py;
      if (painted.has(place)) continue;
      painted.add(place);
      context.fillRect(px - 1, py - 1, 2.5, 2.5);
    }
  }
}

function drawQuantiles(pen) {
  logLabels(pen);
  const { bins, middle } = binned(pen, (i) => (ops.kind[i] === "o" ? ops.due[i] : -1));
  const sorted = bins.map((bin) => bin.map(latency).sort((a, b) => a - b));
  for (const [part, alpha] of [[0.5, 1], [0.95, 0.75], [0.99, 0.5]]) {
    const at = (all) => (all.length ? all[Math.min(all.length - 1, Math.floor(part * all.length))] : null);
    pen.context.globalAlpha = alpha;
    line(pen, sorted.map((all, bin) => [middle(bin), at(all)]), byLatency(pen), color("ok"));
    pen.context.globalAlpha = 1;
  }
}

function drawRates(pen) {
  const { bins, width, middle } = binned(pen, (i) => (ops.to[i] === Infinity ? ops.from[i] : ops.to[i]));
  const rates = (kind) => bins.map((bin) => (bin.filter((i) => ops.kind[i] === kind).length / width) * 1e3);
  const all = { o: rates("o"), f: rates("f"), i: rates("i") };
  const most = Math.max(1, ...all.o, ...all.f, ...all.i);
  const y = (rate) => pen.bottom - (rate / most) * (pen.bottom - 8);
  for (const kind of ["o", "f", "i"])
    line(pen, all[kind].map((rate, bin) => [middle(bin), rate]), y, color(KINDS[kind]));
  labels(pen, [[`${Math.round(most)}/s`, 8], ["0", pen.bottom]]);
}

// An answer in time, also a correct negative one, is service (Gilbert and Lynch's availability).
const served = (i) => ops.to[i] - ops.due[i] <= data.deadline_ms && (ops.kind[i] === "o" || data.mismatches.has(i));
data.mismatches = new Set(data.operations.mismatches);

// Which side of the cut in force a node is on, the largest first; 0 while there is none.
function sideOf(node, time) {
  const cut = bands.find((fault) => fault.sides.length > 1 && fault.from_ms <= time && time < (fault.to_ms ?? end));
  if (!cut) return null;
  const sides = [...cut.sides].sort((a, b) => b.length - a.length);
  return sides.findIndex((side) => side.includes(data.nodes[node]));
}

function drawSides(pen) {
  const { bins, middle } = binned(pen, (i) => ops.due[i]);
  const y = (part) => pen.bottom - part * (pen.bottom - 8);
  const part = (bin, side) => {
    const here = bin.filter((i) => {
      const on = sideOf(ops.node[i], ops.due[i]);
      return on === side;
    });
    return here.length ? here.filter(served).length / here.length : null;
  };
  line(pen, bins.map((bin, at) => [middle(at), part(bin, null)]), y, color("soft"));
  line(pen, bins.map((bin, at) => [middle(at), part(bin, 0)]), y, color("good"));
  line(pen, bins.map((bin, at) => [middle(at), part(bin, 1)]), y, color("bad"), [4, 3]);
  labels(pen, [["100 %", 8], ["0 %", pen.bottom]]);
}

const ROW = 16;
function drawNodes(pen) {
  const { context, x } = pen;
  const { bins, width } = binned(pen, (i) => ops.due[i]);
  const all = [];
  data.nodes.forEach((name, node) => {
    const top = node * ROW + 2;
    all.push([name, top + ROW / 2]);
    bins.forEach((bin, at) => {
      const here = bin.filter((i) => ops.node[i] === node);
      if (!here.length) return;
      const good = here.filter(served).length / here.length;
      context.fillStyle = color(good >= 0.9 ? "good" : good <= 0.1 ? "bad" : "open");
      context.globalAlpha = 0.55;
      const from = x(view.from + at * width);
      context.fillRect(from, top, x(view.from + (at + 1) * width) - from + 0.5, ROW - 4);
      context.globalAlpha = 1;
    });
  });
  data.roles.forEach(([from, leaders, down], at) => {
    const to = at + 1 < data.roles.length ? data.roles[at + 1][0] : end;
    context.fillStyle = color("text");
    for (const node of leaders) context.fillRect(x(from), node * ROW + 2, Math.max(1, x(to) - x(from)), 2.5);
    context.fillStyle = color("soft");
    for (const node of down) context.fillRect(x(from), node * ROW + ROW / 2 - 1, Math.max(1, x(to) - x(from)), 2);
  });
  labels(pen, all);
}

// Probe rounds: one key read at all nodes at once; how many different answers there were.
const rounds = (() => {
  const byDue = new Map();
  for (const i of ops.probes) {
    if (ops.kind[i] !== "o") continue;
    const round = byDue.get(ops.due[i]) || new Set();
    round.add(show(ops.result[i]));
    byDue.set(ops.due[i], round);
  }
  return [...byDue].map(([due, answers]) => [due, answers.size]);
})();
function drawDivergence(pen) {
  const most = Math.max(2, ...rounds.map(([, size]) => size));
  const y = (size) => pen.bottom - ((size - 1) / (most - 1)) * (pen.bottom - 10) - 2;
  pen.context.fillStyle = color("ok");
  for (const [due, size] of rounds) {
    pen.context.fillStyle = color(size > 1 ? "bad" : "good");
    pen.context.fillRect(pen.x(due) - 2, y(size), 4, pen.bottom - y(size));
  }
  labels(pen, [[String(most), 8], ["1", pen.bottom]]);
}

// The operation next to a place, if one is near.
function nearest(time, height, pen) {
  if (!pen) return "";
  const y = byLatency(pen), reach = ((view.to - view.from) / pen.inner) * 6;
  let best = -1, least = 64;
  for (let i = 0; i < ops.n; i++) {
    const off = Math.abs(ops.due[i] - time);
    if (off > reach) continue;
    const distance = ((off / reach) * 6) ** 2 + (y(latency(i)) - height) ** 2;
    if (distance < least) [best, least] = [i, distance];
  }
  return best < 0 ? "" : describe(best);
}

const lanes = document.getElementById("lanes");
if (ops.n > 0) {
  chart(lanes, "latency of each operation, from when it was due (log scale)", 190, drawLatency, nearest);
  chart(lanes, "latency of successful operations: median, 95th and 99th percentile (fainter)", 120, drawQuantiles);
  chart(lanes, "operations a second, by outcome", 100, drawRates);
  if (data.nodes.length)
    chart(lanes, "answered in time: all nodes (grey), while cut off the larger side (green) and the smaller (red, dashed)", 90, drawSides);
  if (data.nodes.length)
    chart(lanes, "nodes: answering (green), partly (yellow), not (red); leader (line on top), down (line across)",
      () => data.nodes.length * ROW + 24, drawNodes);
  if (rounds.length)
    chart(lanes, "divergence: different answers when all nodes are asked for one key at once", 70, drawDivergence);
}

const legend = document.getElementById("legend");
const swatch = (style, text) => element("span", {}, element("i", { style: `background:${style}` }), text);
legend.append(swatch("var(--ok)", "ok"), swatch("var(--fail)", "fail"), swatch("var(--info)", "info (may have happened)"));
const named = new Map(bands.map((fault) => [fault.name, fault.kind]));
for (const [name, kind] of named) legend.append(swatch(FAULTS[kind] || FAULTS.other, name));
