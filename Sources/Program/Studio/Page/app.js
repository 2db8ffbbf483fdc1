// Starts the page: words, the model's name, and the two views.

import { say, tell, translate } from "/words.js";
import { startCreate } from "/create.js";
import { startWatch, stopWatch } from "/watch.js";

translate();

const views = ["create", "watch"];

function show(name) {
  for (const view of views) {
    document.getElementById(`view-${view}`).hidden = view !== name;
    const tab = document.getElementById(`tab-${view}`);
    if (view === name) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  document.title = name === "watch" ? `${say("watch")} · nifty studio` : "nifty studio";
  if (name === "watch") startWatch(); else stopWatch();
}

for (const view of views) {
  document.getElementById(`tab-${view}`).addEventListener("click", () => {
    if (view === "watch") history.replaceState(null, "", "#watch");
    else if (location.hash === "#watch") history.replaceState(null, "", location.pathname);
    show(view);
  });
}

addEventListener("hashchange", () => {
  if (location.hash === "#watch" && !document.getElementById("tab-watch").hidden) show("watch");
  else if (location.hash.includes("prompt=")) show("create");
});

try {
  const answer = await fetch("/api/model");
  const model = await answer.json();
  if (!answer.ok) throw new Error(model.error.message);
  document.getElementById("model").textContent =
    say("modelLine", model.name, model.resolution, Math.round(model.images_seen / 1000));
  document.getElementById("tab-watch").hidden = !model.watches;
  if (model.watches && location.hash === "#watch") show("watch");
  startCreate(model);
} catch (error) {
  tell(error instanceof TypeError ? say("unreachable") : error.message);
}
