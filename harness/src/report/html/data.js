// What the page shows, unpacked: columns of numbers, times in milliseconds.
const data = JSON.parse(document.getElementById("data").textContent);
const verdict = data.verdict;
const KINDS = { o: "ok", f: "fail", i: "info" };

const ops = (() => {
  const packed = data.operations, n = packed.invoked.length;
  const columns = {
    n, index: new Float64Array(n), from: new Float64Array(n), to: new Float64Array(n),
    due: new Float64Array(n), at: new Map(),
  };
  let time = 0, index = 0;
  for (let i = 0; i < n; i++) {
    time += packed.invoked[i];
    index += packed.index[i];
    columns.from[i] = time / 1e3;
    columns.to[i] = packed.took[i] < 0 ? Infinity : (time + packed.took[i]) / 1e3;
    columns.due[i] = (time - packed.late[i]) / 1e3;
    columns.index[i] = index;
    columns.at.set(index, i);
  }
  return Object.assign(columns, {
    kind: packed.kind, client: packed.client, node: packed.node, f: packed.f, key: packed.key,
    argument: packed.argument, result: packed.result, probes: packed.probes,
  });
})();
const end = Math.max(data.end_ms, 1);

const seconds = (ms, digits = 3) => `${(ms / 1e3).toFixed(digits)} s`;
const show = (value) => (value === null || value === undefined ? "nil" : JSON.stringify(value).replace(/"/g, ""));
const keyName = (i) => data.keys[ops.key[i]];
const nodeName = (i) => (ops.node[i] < 0 ? "" : data.nodes[ops.node[i]]);

// An operation in the words of a history: `write 5 of k1: ok`.
function callOf(i) {
  const f = data.fs[ops.f[i]];
  const reads = ops.kind[i] === "o" && ops.argument[i] === null;
  const value = reads ? ops.result[i] : ops.argument[i];
  return `${f} ${show(value)}`;
}

function describe(i) {
  const key = keyName(i), node = nodeName(i);
  const ended = ops.to[i] === Infinity ? "never answered" : `${ops.kind[i] === "i" ? "given up" : "answered"} at ${seconds(ops.to[i])}`;
  return [
    `#${ops.index[i]}  ${callOf(i)}${key === null ? "" : ` on key ${key}`}: ${KINDS[ops.kind[i]]}`,
    `client ${ops.client[i]}${node && `, to ${node}`}`,
    `called at ${seconds(ops.from[i])}, ${ended}`,
    ops.kind[i] === "i" ? "may have taken effect, then or at any later time" : "",
    ops.from[i] - ops.due[i] > 0.05 ? `was due at ${seconds(ops.due[i])}` : "",
  ].filter(Boolean).join("\n");
}

// Elements by tag, attributes and children; text is never read as markup.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const tip = document.getElementById("tip");
function showTip(event, text) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  const below = event.clientY + 14 + box.height < innerHeight;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${below ? event.clientY + 14 : Math.max(4, event.clientY - box.height - 10)}px`;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
