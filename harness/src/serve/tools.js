"use strict";

const CLASSES = ["corrupt", "weak", "eventual", "linearizable"];

// All text goes in as text: nothing that comes from a system under test is markup.
function el(name, attributes = {}, ...children) {
  const svg = ["svg", "polyline", "title"].includes(name);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (value !== false && value !== null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null).map((child) => (child instanceof Node ? child : String(child))));
  return node;
}

const byId = (id) => document.getElementById(id);
const percent = (share) => (share === null || share === undefined ? "-" : `${(100 * share).toFixed(1)} %`);
const time = (ms) => (ms === null || ms === undefined ? "-" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const runUrl = (run, what) => `runs/${encodeURIComponent(run.family)}/${encodeURIComponent(run.name)}/${what}`;
const stateOf = (run) => (run.verdict ? run.verdict : run.open ? "running" : "no verdict");
const badge = (word) => el("span", { class: `badge ${word}` }, word);

async function fetchJson(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function show(id) {
  for (const section of ["list", "side-by-side", "live"]) byId(section).hidden = section !== id;
}
