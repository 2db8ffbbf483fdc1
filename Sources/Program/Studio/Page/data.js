// The packed sets behind the chosen runs: how many pictures, what was left out, and a contact sheet.

import { sample } from "/nearest.js";
import { say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);
const known = new Map();
let shown = [];

/** Shows the sets of these runs, once somebody looks. */
export function offerData(names) {
  shown = names;
  draw();
}

async function draw() {
  if (!$("data").open) return;
  const names = shown;
  for (const name of names) {
    if (known.has(name)) continue;
    try {
      const answer = await fetch(`/api/data?${new URLSearchParams({ run: name })}`);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error.message);
      known.set(name, body);
    } catch (error) {
      tell(error instanceof TypeError ? say("unreachable") : error.message);
      return;
    }
  }
  if (names !== shown) return;
  $("sets").replaceChildren(...names.flatMap((name) => [
    Object.assign(document.createElement("h3"), { textContent: name }), ...sheets(name, known.get(name)),
  ]));
}

function line(text, kind = "quiet") {
  return Object.assign(document.createElement("p"), { textContent: text, className: kind });
}

function sheets(run, { sets, count }) {
  if (!sets.length) return [line(say("noSets"))];
  const parts = sets.flatMap((set, number) => {
    const title = Object.assign(document.createElement("h4"), { textContent: set.name });
    if (set.trouble) return [title, line(set.trouble, "trouble")];
    const causes = set.left_out.map(({ cause, images }) => `${cause} ${images}`).join(", ");
    const grid = document.createElement("div");
    grid.className = "samples";
    grid.append(...set.samples.map(({ index, captions }) => sample(
      `/api/sample?${new URLSearchParams({ run, set: number, index })}`, captions,
    )));
    return [
      title, line(say("setLine", set.images, set.resolution, set.captions)),
      line(causes ? say("leftOut", causes) : say("nothingLeftOut")), grid,
    ];
  });
  return count > sets.length ? [...parts, line(say("moreSets", count - sets.length))] : parts;
}

$("data").addEventListener("toggle", draw);
