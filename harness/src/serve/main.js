async function route() {
  stopLive();
  const [view, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
  try {
    if (view === "compare" && rest.length === 4) await compare(rest.slice(0, 2).join("/"), rest.slice(2).join("/"));
    else if (view === "live" && rest.length === 2) live(rest.join("/"));
    else await list();
  } catch (error) {
    byId("count").textContent = String(error);
    show("list");
  }
}

for (const id of ["find", "verdict", "target"]) byId(id).addEventListener("input", draw);
byId("compare").addEventListener("click", () => { location.hash = `compare/${[...chosen].join("/")}`; });
window.addEventListener("hashchange", route);
route();
