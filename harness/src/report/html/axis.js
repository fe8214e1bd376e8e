// One time axis for all charts: what is in view, fault bands behind, dragging to zoom.
const FAULTS = {
  kill: "#E9A4A0", pause: "#A0B1E9", partition: "#E9DCA0", link: "#D1E8A0", clock: "#A0E9E3", disk: "#99F2E2",
  member: "#E0B6E8", other: "#cccccc",
};
const LEFT = 52, RIGHT = 8;
const view = { from: 0, to: end };
const charts = [];
let scheduled = false;

function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    charts.forEach((chart) => chart());
  });
}

function zoom(from, to) {
  const least = 0.05;
  view.from = Math.max(0, Math.min(from, end - least));
  view.to = Math.min(end, Math.max(to, view.from + least));
  redraw();
}

const bands = data.faults.filter((fault) => fault.from_ms !== null);

// Ticks at 1, 2 or 5 times a power of ten, about `most` of them.
function ticks(from, to, most) {
  const rough = (to - from) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const all = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) all.push(tick);
  return { all, digits: Math.max(0, -Math.floor(Math.log10(step / 1e3) + 1e-9)) };
}

// A canvas of a height, drawn by `draw(pen)` when anything changes. `pen.x` maps milliseconds.
function chart(parent, title, heightOf, draw, hover) {
  const canvas = element("canvas", { role: "img", "aria-label": title });
  parent.append(element("div", { class: "lane" }, element("span", {}, title), canvas));
  let drag = null;
  const paint = () => {
    const width = canvas.clientWidth, height = typeof heightOf === "function" ? heightOf() : heightOf;
    if (width === 0) return;
    const scale = devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    const bottom = height - 18, inner = width - LEFT - RIGHT;
    const x = (ms) => LEFT + ((ms - view.from) / (view.to - view.from)) * inner;
    const pen = { context, width, height, bottom, inner, x };
    for (const fault of bands) {
      const from = Math.max(x(fault.from_ms), LEFT), to = Math.min(x(fault.to_ms ?? end), width - RIGHT);
      if (to <= from) continue;
      context.globalAlpha = 0.45;
      context.fillStyle = FAULTS[fault.kind] || FAULTS.other;
      context.fillRect(from, 0, to - from, bottom);
      context.globalAlpha = 1;
    }
    context.fillStyle = context.strokeStyle = color("soft");
    context.textAlign = "center";
    const marks = ticks(view.from, view.to, Math.max(2, inner / 90));
    for (const tick of marks.all) {
      const label = `${(tick / 1e3).toFixed(marks.digits)} s`, at = x(tick);
      context.fillRect(at, bottom, 1, 4);
      const room = context.measureText(label).width / 2;
      if (at - room > 0 && at + room < width) context.fillText(label, at, height - 3);
    }
    context.fillRect(LEFT, bottom, inner, 1);
    context.save();
    context.beginPath();
    context.rect(LEFT, 0, inner, bottom);
    context.clip();
    draw(pen);
    context.restore();
    if (pen.labels) pen.labels();
    if (drag) {
      context.fillStyle = color("ok");
      context.globalAlpha = 0.2;
      context.fillRect(Math.min(drag.begun, drag.now), 0, Math.abs(drag.now - drag.begun), bottom);
      context.globalAlpha = 1;
    }
    paint.pen = pen;
  };
  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  const time = (at) => view.from + ((at - LEFT) / (canvas.clientWidth - LEFT - RIGHT)) * (view.to - view.from);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") return;
    drag = { begun: place(event), now: place(event) };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      drag.now = place(event);
      redraw();
      return;
    }
    const box = canvas.getBoundingClientRect();
    showTip(event, hover && hover(time(place(event)), event.clientY - box.top, paint.pen));
  });
  canvas.addEventListener("pointerup", () => {
    if (drag && Math.abs(drag.now - drag.begun) > 5) {
      const [from, to] = [time(drag.begun), time(drag.now)].sort((a, b) => a - b);
      zoom(from, to);
    }
    drag = null;
    redraw();
  });
  canvas.addEventListener("pointerleave", () => showTip(null, ""));
  canvas.addEventListener("dblclick", () => zoom(0, end));
  charts.push(paint);
  return canvas;
}

// Labels left of a chart, drawn outside of the clipped part.
function labels(pen, all) {
  pen.labels = () => {
    pen.context.fillStyle = color("soft");
    pen.context.textAlign = "right";
    for (const [text, y] of all) pen.context.fillText(text, LEFT - 5, Math.min(Math.max(y + 4, 9), pen.bottom));
  };
}

addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
addEventListener("beforeprint", () => charts.forEach((chart) => chart()));
