// The training pictures that a painted one is most like.

import { hush, say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);

let now = null;

/** Wires the button up; `chosen` gives the picture of the moment. */
export function startNearest(model, chosen, mark) {
  $("nearest").addEventListener("click", async () => {
    if (!$("alike").hidden) { closeNearest(); return; }
    const tile = chosen();
    if (!tile) return;
    now?.abort();
    const search = new AbortController();
    now = search;
    tell(say("searching", model.training_pictures));
    try {
      const answer = await fetch("/api/nearest", {
        method: "POST",
        headers: { "Content-Type": "application/json", "Nifty-Client": mark },
        body: JSON.stringify({ ...tile.settings, count: 12 }),
        signal: search.signal,
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error.message);
      hush();
      show(body);
    } catch (error) {
      if (error.name === "AbortError") return;
      tell(error instanceof TypeError ? say("unreachable") : error.message);
    }
  });
}

function show({ nearest, pictures }) {
  $("alike-line").textContent = say("nearestLine", pictures);
  $("alike-pictures").replaceChildren(...nearest.map((one) => sample(
    `/api/training?${new URLSearchParams({ set: one.set, index: one.index })}`, one.captions,
    say("alikeness", one.similarity.toFixed(3)),
  )));
  $("alike").hidden = false;
  $("nearest").setAttribute("aria-expanded", "true");
}

/** Puts the pictures away: they belong to another one. */
export function closeNearest() {
  now?.abort();
  $("alike").hidden = true;
  $("nearest").setAttribute("aria-expanded", "false");
}

/** A picture of a set with its captions. */
export function sample(address, captions, note) {
  const figure = document.createElement("figure");
  const words = captions.length ? captions.join(" / ") : say("noCaption");
  const image = Object.assign(document.createElement("img"), { src: address, alt: words, loading: "lazy" });
  const caption = document.createElement("figcaption");
  if (note) caption.append(Object.assign(document.createElement("strong"), { textContent: note }), " ");
  caption.append(words);
  caption.title = words;
  figure.append(image, caption);
  return figure;
}
