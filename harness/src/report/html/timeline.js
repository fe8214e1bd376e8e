// Each operation as an interval, a row for each client; only what is in view is drawn.
const shown = { key: null };
const inWitness = new Set(verdict.violations.flatMap((violation) => violation.witness).map((index) => ops.at.get(index)));
const BAR = 18, ROWS_MOST = 48, TAIL = 90;

// The operations in view of the chosen key, and their clients.
function visible() {
  const all = [], clients = new Map();
  for (let i = 0; i < ops.n; i++) {
    if (ops.from[i] > view.to) break;
    if (ops.to[i] < view.from || (shown.key !== null && ops.key[i] !== shown.key)) continue;
    all.push(i);
    if (!clients.has(ops.client[i])) clients.set(ops.client[i], 0);
  }
  const sorted = [...clients.keys()].sort((a, b) => a - b);
  sorted.forEach((client, row) => clients.set(client, row));
  return { all, clients, hidden: Math.max(0, sorted.length - ROWS_MOST), sorted };
}

let scene = { all: [], clients: new Map(), sorted: [], hidden: 0 };
const timelineHeight = () => {
  scene = visible();
  return Math.min(ROWS_MOST, Math.max(3, scene.sorted.length)) * BAR + 24;
};

function drawTimeline(pen) {
  const { context, x } = pen;
  const colors = { o: color("ok"), f: color("fail"), i: color("info") };
  context.textAlign = "left";
  const lastEnd = new Map();
  for (const i of scene.all) {
    const row = scene.clients.get(ops.client[i]);
    if (row >= ROWS_MOST) continue;
    const top = row * BAR + 2, marked = inWitness.has(i);
    const from = Math.max(x(ops.from[i]), LEFT - 2);
    const to = Math.min(ops.to[i] === Infinity ? pen.width : x(ops.to[i]), pen.width), width = Math.max(1.5, to - from);
    // Bars that would fall on one another pixel are drawn once.
    if (!marked && width < 2 && lastEnd.get(row) > to - 0.7) continue;
    lastEnd.set(row, to);
    context.fillStyle = colors[ops.kind[i]];
    context.globalAlpha = marked ? 1 : 0.55;
    context.fillRect(from, top, width, BAR - 4);
    if (ops.kind[i] === "i") {
      // It may take effect at any later time.
      const fade = context.createLinearGradient(from + width, 0, from + width + TAIL, 0);
      fade.addColorStop(0, colors.i);
      fade.addColorStop(1, colors.i + "00");
      context.fillStyle = fade;
      context.fillRect(from + width, top + 3, TAIL, BAR - 10);
    }
    context.globalAlpha = 1;
    if (marked) {
      context.strokeStyle = color("mark");
      context.lineWidth = 2.5;
      context.strokeRect(from, top, width, BAR - 4);
    }
    if (width > 30) {
      context.save();
      context.beginPath();
      context.rect(from + 3, top, width - 6, BAR);
      context.clip();
      context.fillStyle = color("back") === "#ffffff" && !marked ? "#0b1520" : color("back");
      context.fillText(shown.key === null ? `${callOf(i)} (${show(keyName(i))})` : callOf(i), from + 4, top + 11);
      context.restore();
    }
  }
  const named = scene.sorted.slice(0, ROWS_MOST).map((client, row) => [`c${client}`, row * BAR + BAR / 2 - 2]);
  labels(pen, named);
  if (scene.hidden) {
    context.fillStyle = color("soft");
    context.fillText(`and ${scene.hidden} more clients`, LEFT + 6, pen.bottom - 4);
  }
}

function operationAt(time, height, pen) {
  if (!pen) return "";
  const client = scene.sorted[Math.floor((height - 1) / BAR)], near = ((view.to - view.from) / pen.inner) * 3;
  let best = -1;
  for (const i of scene.all) {
    if (ops.client[i] !== client || time < ops.from[i] - near || time > ops.to[i] + near) continue;
    if (best < 0 || inWitness.has(i) || ops.from[i] > ops.from[best]) best = i;
  }
  return best < 0 ? "" : describe(best);
}

const select = document.getElementById("key");
function choose(key) {
  shown.key = key;
  select.value = key === null ? "" : String(key);
  redraw();
}

// The witness of a violation fills the view, with room around it.
function showWitness(violation) {
  const members = violation.witness.map((index) => ops.at.get(index)).filter((i) => i !== undefined);
  if (!members.length) return;
  const from = Math.min(...members.map((i) => ops.from[i]));
  const ends = members.map((i) => (ops.to[i] === Infinity ? ops.from[i] : ops.to[i]));
  const to = Math.max(...ends), room = Math.max((to - from) * 0.3, 2);
  choose(members.every((i) => ops.key[i] === ops.key[members[0]]) ? ops.key[members[0]] : null);
  zoom(from - room, to + room);
}

if (ops.n > 0) {
  const withKeys = data.keys.some((key) => key !== null);
  select.append(element("option", { value: "" }, "all"));
  if (withKeys) data.keys.forEach((key, at) => select.append(element("option", { value: String(at) }, show(key))));
  select.addEventListener("change", () => choose(select.value === "" ? null : Number(select.value)));
  document.getElementById("whole").addEventListener("click", () => (choose(null), zoom(0, end)));
  const gravest = verdict.violations.find((violation) => violation.witness.length);
  const button = document.getElementById("witness");
  if (gravest) button.addEventListener("click", () => showWitness(gravest));
  else button.remove();
  const canvas = chart(document.getElementById("timeline"), "operations of each client", timelineHeight, drawTimeline, operationAt);
  canvas.id = "operations-canvas";
} else {
  document.getElementById("operations").remove();
  document.getElementById("charts").remove();
}
