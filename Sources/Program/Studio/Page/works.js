// Running downloads and packings: a table that follows them.

import { say } from "/words.js";

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat();

/** Shows the rows; the panel is only there when there are any. */
export function drawWorks(works, duration) {
  $("works-panel").hidden = !works.length;
  $("works").tBodies[0].replaceChildren(...works.map((work) => row(work, duration)));
}

function cell(...content) {
  const data = document.createElement("td");
  data.append(...content);
  return data;
}

function row(work, duration) {
  const line = document.createElement("tr");
  const name = cell(work.name, " ", Object.assign(document.createElement("span"), {
    className: "quiet", textContent: say(work.kind),
  }));
  name.className = "name";
  name.title = work.name;
  const isAtWork = work.state === "running";
  const pill = Object.assign(document.createElement("span"), {
    className: `pill ${work.state}`, textContent: say(isAtWork ? "atWork" : work.state),
  });
  const state = cell(pill);
  const progress = cell();
  if (work.total) {
    const bar = Object.assign(document.createElement("progress"), { max: work.total, value: Math.min(work.done, work.total) });
    bar.setAttribute("aria-label", work.name);
    progress.append(bar);
  }
  if (work.done !== null) {
    progress.append(work.total === null || work.state === "finished"
      ? count.format(work.done) : `${count.format(work.done)} / ${count.format(work.total)}`);
  }
  if (work.trouble) progress.append(Object.assign(document.createElement("span"), { className: "trouble", textContent: work.trouble }));
  const leftOut = cell(work.left_out ? count.format(work.left_out) : "");
  // A narrow window has no head of the table.
  if (work.left_out) leftOut.dataset.label = say("workLeftOut");
  const rate = work.rate === null ? "" : say("perSecond", Number(work.rate.toPrecision(3)));
  line.append(name, state, progress, leftOut, cell(rate), cell(isAtWork ? duration(work.seconds_left) : ""));
  return line;
}
